package host

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/failpoint"
	"github.com/hatchery-spawn/hatchery/internal/lane"
	"github.com/hatchery-spawn/hatchery/internal/option"
	"github.com/hatchery-spawn/hatchery/internal/optionschema"
	"github.com/hatchery-spawn/hatchery/internal/wire"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A plugin is a running process that serves a method.
type plugin struct {
	key         registry.SpawnMethodKey
	proc        *pluginProcess
	client      *wire.Client  // control, by grpc
	planner     *wire.Planner // Spec to Plan, by the lane
	spawner     bool
	options     func() (*option.Table, error) // what the method says of its options; a nil Table is nothing
	mayHaveNone bool                          // no option has to be given
	resting     chan struct{}                 // closed when it is being ended in order
	rest        func()                        // closes it
}

// startPlugin starts the plugin of an entry and returns when it has said what
// it is. Started reports whether there was a process, which may have failed.
func startPlugin(ctx context.Context, h *Host, e registry.Entry) (p *plugin, started bool, err error) {
	ours, theirs, err := lane.Pair()
	if err != nil {
		return nil, false, withKey(&spawn.Error{Phase: spawn.PhaseStart, Op: "lane", Err: err}, e.Key)
	}
	theirEnd := os.NewFile(uintptr(theirs), "lane")
	// It is closed by who takes it: the start of the process, which may go on when
	// it was given up, or this function if there was none.
	var taken, there atomic.Bool
	defer func() {
		if taken.CompareAndSwap(false, true) {
			theirEnd.Close()
		}
	}()
	conn, err := lane.Open(ours, lane.Polled)
	if err != nil {
		os.NewFile(uintptr(ours), "lane").Close()
		return nil, false, withKey(&spawn.Error{Phase: spawn.PhaseStart, Op: "lane", Err: err}, e.Key)
	}
	p = &plugin{key: e.Key, resting: make(chan struct{})}
	if e.Early {
		wire.OfferEarly(conn) // one that cannot be offered it serves late
	}
	p.planner = wire.NewPlanner(string(e.Key), conn)
	p.rest = sync.OnceFunc(func() { close(p.resting) })
	p.client, err = wire.Dial(ctx, wire.ClientConfig{
		Key:       string(e.Key),
		Lane:      p.planner,
		SocketDir: h.folder.path,
		Start: func(ctx context.Context, env []string, handshake *os.File) (wire.Process, error) {
			if !taken.CompareAndSwap(false, true) {
				return nil, waitError(ctx, spawn.PhaseStart, "plugin start")
			}
			defer theirEnd.Close()
			proc, err := startPluginProcess(ctx, h, e, env, handshake, theirEnd)
			if err != nil {
				return nil, err
			}
			p.proc = proc
			there.Store(true)
			return proc, nil
		},
		StartTimeout: h.limits.Start, CallTimeout: h.limits.Call,
		LogLevel: logLevel(h.cfg.Logger),
	})
	if err != nil {
		p.planner.Close()
		return nil, there.Load(), withKey(err, e.Key)
	}
	p.spawner = p.client.Description().Has(wire.FeatureSpawner)
	if err = p.readOptions(e, p.client.Description()); err != nil {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), pluginGrace)
		defer cancel()
		p.stop(closing, leftGrace) // it is of no use
		return nil, true, err
	}
	failpoint.Pass(failpoint.HostPluginReady)
	return p, true, nil
}

// readOptions reads what the method says of its options. What a built-in one says is
// read when it is needed first: it is known to be right, and most children have none.
func (p *plugin) readOptions(e registry.Entry, d wire.Description) error {
	text := d.OptionsSchema
	if e.Builtin() {
		text = e.Schema
	}
	p.mayHaveNone = !strings.Contains(text, `"required"`)
	p.options = sync.OnceValues(func() (*option.Table, error) {
		t, err := optionschema.Parse(text)
		if err != nil {
			err = &spawn.Error{
				Key: string(e.Key), Phase: spawn.PhaseStart, Op: "describe", Kind: spawn.ErrProtocol,
				Msg: "the schema of the method's options cannot be used: " + err.Error(),
			}
		}
		return t, err
	})
	if e.Builtin() {
		return nil
	}
	_, err := p.options()
	return err
}

// fits returns nil when the options of a Spec are those of the method, as far as
// it says which these are. A blocked one refuses whatever it is asked.
func (p *plugin) fits(spec *spawn.Spec) error {
	if p.mayHaveNone && len(spec.Options) == 0 || registry.Status(p.client.Description().Status) == registry.Blocked {
		return nil
	}
	t, err := p.options()
	if err != nil {
		return err
	}
	err = t.Check(spec.Options)
	if err == nil {
		return nil
	}
	e := *spawn.AsError(err)
	e.Key, e.Phase = string(p.key), spawn.PhasePlan
	return &e
}

// pluginGrace is what a plugin has to end by itself when asked. It has no
// children to look after.
const pluginGrace = time.Second

// leftGrace is the same for one that nobody can use any more.
const leftGrace = 100 * time.Millisecond

// stop ends the plugin, which has grace to do it by itself.
func (p *plugin) stop(ctx context.Context, grace time.Duration) error {
	p.rest()
	p.proc.look(ctx)
	err := p.client.Close(ctx, grace)
	if perr := p.planner.Close(); err == nil {
		err = perr
	}
	return err
}

// usable reports whether the plugin can be asked: the process is there, and it
// has not left the lane, which a broken one may do and live on.
func (p *plugin) usable() bool {
	select {
	case <-p.planner.Done():
		return false
	default:
		return !p.proc.gone()
	}
}

// lastWordsTime bounds the wait for what a plugin that has gone has left.
const lastWordsTime = 300 * time.Millisecond

// diagnosed adds to the error of a request what is known of the process, if
// that is what failed: how it ended, and what it wrote last, a panic usually.
func (p *plugin) diagnosed(err error) error {
	var e *spawn.Error
	var known *PluginError
	if !errors.As(err, &e) || errors.As(err, &known) {
		return err
	}
	switch e.Kind {
	case spawn.ErrPluginGone:
		p.ended(context.Background())
	case spawn.ErrTimeout, spawn.ErrProtocol:
	default:
		return err
	}
	return wire.Diagnosed(e, p.proc)
}

// ended waits until the process has ended, but not for ever.
func (p *plugin) ended(ctx context.Context) {
	timer := time.NewTimer(lastWordsTime)
	defer timer.Stop()
	select {
	case <-p.proc.done:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// pluginEnv returns the environment of a plugin: the host's, and what the
// handshake needs, which wins. Nothing that belongs to another handshake, one
// of an outer program, gets through, nor what that one was told about logging.
func pluginEnv(handshake []string) []string {
	set := map[string]bool{}
	for _, kv := range handshake {
		k, _, _ := strings.Cut(kv, "=")
		set[k] = true
	}
	env := append([]string(nil), handshake...)
	for _, kv := range os.Environ() {
		k, _, _ := strings.Cut(kv, "=")
		if !set[k] && !strings.HasPrefix(k, "PLUGIN_") && k != wire.LogVariable {
			env = append(env, kv)
		}
	}
	return env
}
