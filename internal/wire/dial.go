package wire

import (
	"context"
	"errors"
	"math"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"github.com/hatchery-spawn/hatchery/internal/wire/spawnv1"
	"google.golang.org/grpc"
)

// errStartTimeout is the cause of a context that ended by StartTimeout.
var errStartTimeout = errors.New("start timeout")

// giveUp bounds how long Dial waits, after its context has ended or the start
// has failed, for the process to be gone.
const giveUp = 150 * time.Millisecond

// Dial starts a plugin and connects to it. The plugin has then said what it
// is: that it serves cfg.Key, and speaks the version of this package.
//
// When Dial fails the process has been killed. The error is an *spawn.Error of
// PhaseStart; its kind says whether the plugin ended (ErrPluginGone), did not
// speak as agreed (ErrProtocol, ErrVersion), or a wait reached its bound, which
// Op names (ErrTimeout, ErrCanceled). What cfg.Start failed with is returned
// as it is.
func Dial(ctx context.Context, cfg ClientConfig) (*Client, error) {
	cfg = cfg.withDefaults()
	if err := checkSocketDir(cfg.Key, cfg.SocketDir); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, cfg.StartTimeout, errStartTimeout)
	defer cancel()
	d := newDialing(ctx, cfg)
	go func() { // waited for by await, or by discard
		defer close(d.connected)
		d.connectErr = d.connect(ctx)
	}()
	var said <-chan hello
	if cfg.Lane != nil {
		said = cfg.Lane.hello
	}
	c := d.client
	description, err := d.await(ctx, said)
	c.process = c.runner.started()
	if err != nil {
		e := d.explain(ctx, err)
		d.discard()
		return nil, e
	}
	c.description = description
	if d.early {
		c.late = &late{dialing: d, lane: cfg.Lane, never: cfg.Lane.json.Load(), ready: make(chan struct{})}
	}
	return c, nil
}

// await returns what the plugin says of itself: over the connection, once it is
// there, or before that as its hello.
func (d *dialing) await(ctx context.Context, said <-chan hello) (Description, error) {
	select {
	case <-ctx.Done():
		return Description{}, ctx.Err()
	case h := <-said:
		return d.greeted(ctx, h)
	case <-d.spoiled:
		return Description{}, d.cfg.Lane.why()
	case <-d.connected:
		if d.connectErr == nil {
			return d.describe(ctx)
		}
		if h, ok := d.overtaken(ctx, said); ok {
			return d.greeted(ctx, h)
		}
		return Description{}, d.connectErr
	}
}

// greeted takes what a plugin has said of itself without being connected.
func (d *dialing) greeted(ctx context.Context, h hello) (Description, error) {
	select {
	case <-d.client.runner.up: // the answer to its start can be overtaken
	case <-ctx.Done():
		return Description{}, ctx.Err()
	}
	d.early = true
	d.cfg.Lane.json.Store(h.json)
	return h.Description, d.check(h.Description)
}

// overtaken returns the hello of a plugin that has closed the handshake descriptor
// behind it, without a word, which was seen before the hello.
func (d *dialing) overtaken(ctx context.Context, said <-chan hello) (hello, bool) {
	p := d.client.runner.started()
	if _, any := d.client.runner.line.first(); any || p == nil {
		return hello{}, false
	}
	timer := time.NewTimer(reaping)
	defer timer.Stop()
	select {
	case h := <-said: // never, if there is no lane
		return h, true
	case <-p.Done():
	case <-d.spoiled:
	case <-ctx.Done():
	case <-timer.C:
	}
	return hello{}, false
}

// stageHandshake is what a start waits for until the plugin says where it
// listens.
const stageHandshake = "handshake"

// A dialing is one run of Dial.
type dialing struct {
	cfg    ClientConfig
	client *Client // complete once Dial has returned
	stage  atomic.Pointer[string]
	early  bool // the plugin has said hello

	spoiled <-chan struct{} // closed when what came on the lane was no hello; nil without a lane

	connected  chan struct{} // closed when connect has returned
	connectErr error         // what it returned; valid after connected
}

func newDialing(ctx context.Context, cfg ClientConfig) *dialing {
	d := &dialing{cfg: cfg, client: &Client{key: cfg.Key, dialer: &dialer{}}, connected: make(chan struct{})}
	if cfg.Lane != nil {
		d.spoiled = cfg.Lane.spoiled
	}
	d.at("process start")
	d.client.runner = newRunner(cfg.Key, func(env []string, handshake *os.File) (Process, error) {
		return d.start(ctx, env, handshake)
	})
	d.client.plugin = plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  handshakeConfig(),
		VersionedPlugins: cfg.API.sets(controlPlugin{}),
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		SkipHostEnv:      true,
		StartTimeout:     math.MaxInt64,         // never reached: the context ends before, if the connection is waited for
		Logger:           hclog.NewNullLogger(), // the host knows better what happens
		UnixSocketConfig: &plugin.UnixSocketConfig{TempDir: cfg.SocketDir},
		// go-plugin leaves its folder behind when this function fails, so
		// it never does.
		RunnerFunc: func(_ hclog.Logger, cmd *exec.Cmd, _ string) (runner.Runner, error) {
			openSocketDir(cmd.Env)
			d.client.runner.env = cmd.Env
			return d.client.runner, nil
		},
		GRPCDialOptions: []grpc.DialOption{
			grpc.WithContextDialer(d.client.dialer.dial),
			grpc.WithChainUnaryInterceptor(withDeadline(cfg.CallTimeout)),
			grpc.WithChainStreamInterceptor(noStreams),
			grpc.WithIdleTimeout(0), // an idle connection stays: there is no second one
			grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxAnswer)),
		},
	})
	return d
}

// openSocketDir gives the owner of the folder that go-plugin has made for the
// socket the rights that a umask like 0177 took away.
func openSocketDir(env []string) {
	for _, kv := range env {
		if dir, ok := strings.CutPrefix(kv, plugin.EnvUnixSocketDir+"="); ok {
			os.Chmod(dir, 0o700) // should it fail, the plugin says why
		}
	}
}

// start calls cfg.Start. What was started too late is killed.
func (d *dialing) start(ctx context.Context, env []string, handshake *os.File) (Process, error) {
	if ctx.Err() != nil {
		return nil, errAbandoned
	}
	if d.cfg.LogLevel != "" {
		env = append(env, LogVariable+"="+d.cfg.LogLevel)
	}
	p, err := d.cfg.Start(ctx, env, handshake)
	if err != nil {
		return nil, &startError{err}
	}
	d.at(stageHandshake)
	return p, nil
}

// A startError is what cfg.Start failed with, told from what go-plugin did.
type startError struct{ err error }

func (e *startError) Error() string { return e.err.Error() }

// connect takes the start through go-plugin: process, handshake, connection.
// It returns once the process has ended or the runner is abandoned, if not
// before.
func (d *dialing) connect(ctx context.Context) error {
	c := d.client
	addr, err := c.plugin.Start()
	if err != nil {
		return err
	}
	c.dialer.target(addr, c.runner.started().Pid())
	d.at("connection")
	protocol, err := c.plugin.Client()
	if err != nil {
		return err
	}
	control, err := protocol.Dispense(controlName)
	if err != nil {
		return err
	}
	c.control = control.(controlConn)
	// It fails at the latest when the dialer is closed.
	c.control.settle(context.WithoutCancel(ctx))
	return nil
}

// describe makes the first call and checks what the plugin says of itself.
func (d *dialing) describe(ctx context.Context) (Description, error) {
	d.at("describe")
	m, err := d.client.control.Describe(ctx, &spawnv1.DescribeRequest{})
	if err != nil {
		return Description{}, err
	}
	description := descriptionOf(m)
	return description, d.check(description)
}

// discard ends what a failed start has begun. It waits a little for it to be
// gone; what takes longer ends by itself, with the process.
func (d *dialing) discard() {
	gone := make(chan struct{})
	c := d.client
	c.runner.abandon()
	c.dialer.close()
	go func() {
		defer close(gone)
		<-d.connected
		c.plugin.Kill()
		if p := c.runner.started(); p != nil {
			<-p.Done()
		}
	}()
	timer := time.NewTimer(giveUp)
	defer timer.Stop()
	select {
	case <-gone:
	case <-timer.C:
	}
}

// at notes what is being waited for.
func (d *dialing) at(stage string) { d.stage.Store(&stage) }
