package portal

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hatchery-spawn/hatchery/spawn"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
)

// Windows of HTTP/2, in bytes: what one stream, and all together, may send
// ahead of their reader. That they are fixed keeps grpc from measuring, and the
// memory of a stream that nobody reads small.
const (
	streamWindow = 256 << 10
	connWindow   = 4 << 20
)

// goneTime is how long calls wait, once the connection is lost, for word of how the
// other side ended.
const goneTime = time.Second

// ErrGone is what calls fail with when the other side has ended, or has given up
// the connection. How an actor ended is found by errors.As in the same error.
var ErrGone = errors.New("the other side is gone")

var (
	errUsed     = errors.New("the connection is gone; there is only one")
	errGivenUp  = errors.New("it has closed the connection for calls")
	errNoTaking = errors.New("connecting")
)

// A client is the connection for calls to the other side. It is made once.
type client struct {
	grpc *grpc.ClientConn
	raw  *onceConn
	used atomic.Bool // grpc has dialed

	loss  sync.Once
	lost  chan struct{} // closed when it is of no use any more
	known chan struct{} // closed goneTime after that: why is not going to be said
}

// A onceConn tells when it is closed.
type onceConn struct {
	net.Conn
	once   sync.Once
	closed chan struct{}
}

func newOnceConn(c net.Conn) *onceConn { return &onceConn{Conn: c, closed: make(chan struct{})} }

// handedOver returns the connection that a socket is, which it closes.
func handedOver(f *os.File) (*onceConn, error) {
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	return newOnceConn(c), nil
}

// Close closes the connection.
func (c *onceConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() { close(c.closed) })
	return err
}

// connected returns the connection, which the first call makes.
func (p *Portal) connected(ctx context.Context) (*client, error) {
	if c := p.client.Load(); c != nil {
		return c, nil
	}
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if c := p.client.Load(); c != nil {
		return c, nil
	}
	c, err := p.connect(ctx)
	if err == nil {
		p.client.Store(c)
	}
	return c, err
}

func (p *Portal) connect(ctx context.Context) (*client, error) {
	bounded, cancel := context.WithTimeoutCause(ctx, ConnectTime, errNoTaking)
	defer cancel()
	raw, err := p.link.connect(bounded)
	switch {
	case p.link.Err() != nil && err != nil:
		return nil, goneError(p.link.Err())
	case err != nil && context.Cause(bounded) == errNoTaking:
		return nil, &spawn.Error{Phase: spawn.PhaseRun, Op: "connect portal", Kind: spawn.ErrTimeout,
			Msg: fmt.Sprintf("it has not taken a connection within %v", ConnectTime)}
	case err != nil:
		return nil, err
	}
	c := &client{raw: raw, lost: make(chan struct{}), known: make(chan struct{})}
	if c.grpc, err = grpc.NewClient("passthrough:///actor", c.options(&p.cfg)...); err != nil {
		raw.Close()
		return nil, err
	}
	c.grpc.Connect()
	go c.end(p.link.Done())
	return c, nil
}

// end closes the connection when it is of no use any more. It is what ends, with
// the channel at the latest, the goroutines of grpc.
func (c *client) end(over <-chan struct{}) {
	select {
	case <-c.raw.closed:
	case <-over:
		c.raw.Close() // first: grpc would say good-bye to a peer that does not read
	}
	c.lose()
	c.grpc.Close()
}

// lose notes that the connection is of no use any more.
func (c *client) lose() {
	c.loss.Do(func() {
		close(c.lost)
		time.AfterFunc(goneTime, func() { close(c.known) })
	})
}

func (c *client) options(cfg *Config) []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithContextDialer(c.dial),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.DefaultConfig, MinConnectTimeout: ConnectTime}),
		grpc.WithIdleTimeout(0), // an idle connection stays: there is no second one
		grpc.WithDisableRetry(),
		grpc.WithDisableServiceConfig(),
		grpc.WithNoProxy(),
		grpc.WithSharedWriteBuffer(true),
		grpc.WithInitialWindowSize(streamWindow),
		grpc.WithInitialConnWindowSize(connWindow),
		grpc.WithDefaultCallOptions(
			grpc.ForceCodecV2(codec{}),
			grpc.MaxCallRecvMsgSize(cfg.MaxMessage),
			grpc.MaxCallSendMsgSize(cfg.MaxMessage),
		),
	}
}

// dial is what grpc calls, also when it sends no more over the connection.
func (c *client) dial(context.Context, string) (net.Conn, error) {
	if c.used.Swap(true) {
		c.lose()
		return nil, errUsed
	}
	return c.raw, nil
}

// isLost reports whether the connection is of no use any more.
func (c *client) isLost() bool {
	select {
	case <-c.lost:
		return true
	case <-c.raw.closed:
		return true
	default:
		return false
	}
}

// gone returns why the connection was lost, once that is known, but for ctx.
func (p *Portal) gone(ctx context.Context, c *client) error {
	select {
	case <-p.link.Done():
		return goneError(p.link.Err())
	case <-c.known:
		return goneError(errGivenUp)
	case <-ctx.Done():
		return goneError(ctx.Err())
	}
}

func goneError(why error) error { return fmt.Errorf("%w: %w", ErrGone, why) }
