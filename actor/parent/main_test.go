package parent_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/actor"
	"github.com/hatchery-spawn/hatchery/actor/parent"
	"github.com/hatchery-spawn/hatchery/backends"
	"github.com/hatchery-spawn/hatchery/backends/forkexec"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/helperproc"
	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
	"github.com/hatchery-spawn/hatchery/sdk"
	"github.com/hatchery-spawn/hatchery/spawn"
)

func TestMain(m *testing.M) {
	host.Init(append(backends.Builtin(), sdk.Entry(other{}))...)
	os.Exit(helperproc.Main(func() int { return leakcheck.Main(m) }, map[string]helperproc.Func{
		"actor":   func([]string) int { p := program(); return p.Main() },
		"strange": strange,
	}))
}

// other is a method of its own, which does what forkexec does.
type other struct{ forkexec.Backend }

func (o other) Describe() sdk.Description {
	d := o.Backend.Describe()
	d.Key = "other"
	return d
}

// spec returns the Spec of one of this test's actors.
func spec(name, entry string, args ...string) parent.Spec {
	return parent.Spec{Name: name, Entry: entry, Args: args, Errors: errorsOfTests(), Program: spawn.Spec{Path: helperproc.Path(), Args: helperproc.Argv("actor")}}
}

// self is how an actor's cancellation names this process.
func self() string {
	return fmt.Sprintf("%s (process %d)", filepath.Base(os.Args[0]), os.Getpid())
}

// script returns a Spec whose program is a shell script.
func script(name, text string) parent.Spec {
	return parent.Spec{Name: name, Entry: "none", Program: spawn.Spec{Path: "sh", Args: []string{"sh", "-c", text}}}
}

func open(t testing.TB, cfg host.Config) *host.Host {
	t.Helper()
	h, err := host.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error("Close: ", err)
		}
	})
	return h
}

// nursery runs body with a nursery and returns the nursery's error.
func nursery(t testing.TB, h *host.Host, body func(context.Context, *host.Nursery) error) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return h.Nursery(ctx, host.NurseryConfig{Name: t.Name()}, body)
}

// start starts an actor that the test is sure of.
func start(t testing.TB, n *host.Nursery, s parent.Spec) *parent.Actor {
	t.Helper()
	a, err := parent.Start(context.Background(), n, s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// program is what the actors of these tests can be.
func program() actor.Program {
	return actor.Program{Errors: errorsOfTests(), Entries: map[string]actor.Entry{
		"say": {Run: say, Setup: func(context.Context, *actor.Actor) ([]string, error) {
			return []string{"/unix/x", "/ip4/127.0.0.1/tcp/1"}, nil
		}},
		"fail":  {Run: fail},
		"wait":  {Run: wait},
		"stuck": {Run: stuck},
		"gate":  {Run: gate},
		"tree":  {Run: tree},
		"panic": {Run: panicElsewhere},
		"ask":   {Run: askItsOwn},
		"count": {Run: func(_ context.Context, a *actor.Actor) error { return a.Return(len(a.Args[0])) }},
	}}
}
