package portal_test

import (
	"context"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/actor"
	"github.com/hatchery-spawn/hatchery/actor/channel"
	"github.com/hatchery-spawn/hatchery/actor/parent"
	"github.com/hatchery-spawn/hatchery/actor/portal"
	"github.com/hatchery-spawn/hatchery/backends"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/helperproc"
	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
	"github.com/hatchery-spawn/hatchery/spawn"
)

func TestMain(m *testing.M) {
	host.Init(backends.Builtin()...)
	os.Exit(helperproc.Main(func() int { return leakcheck.Main(m) }, map[string]helperproc.Func{
		"actor": func([]string) int { p := program(); return p.Main() },
		"bare":  bareServer,
	}))
}

// spec returns the Spec of one of this test's actors.
func spec(name string) parent.Spec {
	return parent.Spec{Name: name, Entry: "serve", Errors: errorsOfTests(), Program: spawn.Spec{Path: helperproc.Path(), Args: helperproc.Argv("actor")}}
}

// nursery runs body with a nursery of its own host and returns the nursery's error.
func nursery(t testing.TB, body func(context.Context, *host.Nursery) error) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return parent.Run(ctx, host.Config{}, host.NurseryConfig{Name: t.Name()}, body)
}

// start starts an actor, with a portal to it that serves s.
func start(t testing.TB, ctx context.Context, n *host.Nursery, sp parent.Spec, s *portal.Server) (*parent.Actor, *portal.Portal) {
	t.Helper()
	var p *portal.Portal
	var perr error
	sp.Channel = func(ch *channel.Channel) {
		p, perr = portal.New(ctx, ch, portal.Config{Name: "root", Errors: errorsOfTests(), Serve: s})
	}
	a, err := parent.Start(ctx, n, sp)
	if err != nil || perr != nil {
		t.Fatal(err, perr)
	}
	return a, p
}

// with runs body with an actor, which is stopped then, and which must not fail.
func with(t testing.TB, s *portal.Server, body func(context.Context, *parent.Actor, *portal.Portal)) {
	t.Helper()
	if err := nursery(t, func(ctx context.Context, n *host.Nursery) error {
		a, p := start(t, ctx, n, spec("a"), s)
		body(ctx, a, p)
		a.Stop(context.Background())
		return nil
	}); err != nil {
		t.Error("the nursery failed: ", err)
	}
}

// pair returns portals at both ends of a channel within this process; both serve
// theirs and end with the test.
func pair(t testing.TB, a, b portal.Config) (*portal.Portal, *portal.Portal) {
	t.Helper()
	left, right := channels(t)
	p, err := portal.New(t.Context(), left, a)
	if err != nil {
		t.Fatal(err)
	}
	q, err := portal.New(t.Context(), right, b)
	if err != nil {
		t.Fatal(err)
	}
	serve(t, left)
	serve(t, right)
	return p, q
}

func channels(t testing.TB) (*channel.Channel, *channel.Channel) {
	t.Helper()
	left, theirs, err := channel.Pair()
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	fd, err := syscall.Dup(int(theirs.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	right, err := channel.Open(fd)
	if err != nil {
		t.Fatal(err)
	}
	return left, right
}

func serve(t testing.TB, c *channel.Channel) {
	t.Helper()
	over := make(chan struct{})
	go func() {
		defer close(over)
		c.Serve(func(*channel.Message) error { return channel.ErrUnknown })
	}()
	t.Cleanup(func() { c.End(nil); <-over })
}

// program is what the actors of these tests can be.
func program() actor.Program {
	return actor.Program{Errors: errorsOfTests(), Entries: map[string]actor.Entry{
		"serve": {
			Setup: func(ctx context.Context, a *actor.Actor) ([]string, error) {
				_, err := portal.New(ctx, a.Channel(), portal.Config{Actor: a, Serve: functions()})
				return nil, err
			},
			Run: func(ctx context.Context, a *actor.Actor) error {
				<-ctx.Done()
				return context.Cause(ctx)
			},
		},
	}}
}
