package discovery_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/actor"
	"github.com/hatchery-spawn/hatchery/actor/discovery"
	"github.com/hatchery-spawn/hatchery/actor/discovery/address"
	"github.com/hatchery-spawn/hatchery/actor/parent"
	"github.com/hatchery-spawn/hatchery/actor/portal"
	"github.com/hatchery-spawn/hatchery/backends"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/helperproc"
	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// soon is how long a test waits for what takes a moment.
const soon = 20 * time.Second

func TestMain(m *testing.M) {
	host.Init(backends.Builtin()...)
	os.Exit(helperproc.Main(func() int { return leakcheck.Main(m) }, map[string]helperproc.Func{
		"actor":  func([]string) int { p := program(); return p.Main() },
		"nobody": nobodyMain,
		"far":    far,
	}))
}

// program is what the actors of these tests can be.
func program() actor.Program {
	var m *discovery.Member
	return actor.Program{Errors: discovery.Errors(), Entries: map[string]actor.Entry{
		"registrar": discovery.RegistrarEntry(discovery.Config{}),
		"member": {
			Setup: func(ctx context.Context, a *actor.Actor) ([]string, error) {
				var s portal.Server
				portal.Handle(&s, "who", func(context.Context, int) (string, error) { return a.UID, nil })
				var err error
				m, err = discovery.Join(ctx, a, discovery.Config{Portal: portal.Config{Serve: &s}})
				if err != nil {
					return nil, err
				}
				return m.Addresses(), nil
			},
			Run: func(ctx context.Context, a *actor.Actor) error {
				<-ctx.Done()
				m.Close()
				return context.Cause(ctx)
			},
		},
	}}
}

func spec(name, entry string, registrar ...string) parent.Spec {
	return parent.Spec{
		Name: name, Entry: entry, Registrar: registrar, Errors: discovery.Errors(),
		Program: spawn.Spec{Path: helperproc.Path(), Args: helperproc.Argv("actor")},
	}
}

// nursery runs body with a nursery of its own host, which must not fail.
func nursery(t *testing.T, body func(context.Context, *host.Nursery)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cfg := host.NurseryConfig{Name: t.Name(), StopAtEnd: true}
	if err := parent.Run(ctx, host.Config{}, cfg, func(ctx context.Context, n *host.Nursery) error {
		body(ctx, n)
		return nil
	}); err != nil && !t.Failed() {
		t.Error("the nursery failed: ", err)
	}
}

func start(t *testing.T, ctx context.Context, n *host.Nursery, s parent.Spec) *parent.Actor {
	t.Helper()
	a, err := parent.Start(ctx, n, s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// socket returns the address of a Unix socket with a short path.
func socket(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "d")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return "/unix" + filepath.Join(dir, "registrar")
}

func client(t *testing.T, registrar ...string) *discovery.Client {
	t.Helper()
	c, err := discovery.NewClient(discovery.Config{Registrar: parse(t, registrar...), Portal: portal.Config{Errors: discovery.Errors()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func parse(t *testing.T, text ...string) []address.Addr {
	t.Helper()
	addrs, err := address.ParseAll(text...)
	if err != nil {
		t.Fatal(err)
	}
	return addrs
}

// who asks an actor for its UID, and lets go of it.
func who(t *testing.T, ctx context.Context, p *portal.Portal, err error) string {
	t.Helper()
	if err != nil {
		t.Error(err)
		return ""
	}
	defer p.Close()
	uid, err := portal.Call[string](ctx, p, "who", 0)
	if err != nil {
		t.Error(err)
	}
	return uid
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(soon)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		if time.Now().After(deadline) {
			t.Errorf("not within %v: %s", soon, what)
			return
		}
		<-tick.C
	}
}
