//go:build linux

package host_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/backends"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/helperproc"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/sdk"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// testEntries are the built-in methods and some for tests.
func testEntries() []registry.Entry {
	return append(backends.Builtin(),
		sdk.Entry(unavailable{}), sdk.Entry(slowPlanner{}), sdk.Entry(badPlanner{}), sdk.Entry(echoSpawner{}), sdk.Entry(talker{}))
}

// unavailable is a method whose needs no machine meets.
type unavailable struct{ sdk.Unimplemented }

func (unavailable) Describe() sdk.Description {
	return sdk.Description{Key: "nowhere", Summary: "needs what no machine has"}
}

func (unavailable) Plan(context.Context, *spawn.Spec) (*spawn.Plan, error) {
	return nil, errors.New("bug: planned although unavailable")
}

func (unavailable) Probe(context.Context) error {
	program, _ := os.Executable()
	return &spawn.Error{Kind: spawn.ErrUnavailable, Path: program, Msg: "needs a flux capacitor of 1.21 GW, found none"}
}

// slowPlanner does not answer before it is told to stop.
type slowPlanner struct{}

func (slowPlanner) Describe() sdk.Description {
	return sdk.Description{Key: "slow", Summary: "never plans"}
}

func (slowPlanner) Plan(ctx context.Context, _ *spawn.Spec) (*spawn.Plan, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// badPlanner makes a plan that no keeper may execute.
type badPlanner struct{}

func (badPlanner) Describe() sdk.Description {
	return sdk.Description{Key: "bad", Summary: "plans badly"}
}

func (badPlanner) Plan(_ context.Context, s *spawn.Spec) (*spawn.Plan, error) {
	p := spawn.Standard(s)
	p.Insert(spawn.Step{Op: "reboot"})
	return p, nil
}

func TestDefaultConstruction(t *testing.T) {
	h := open(t, host.Config{})
	if h.Selected() != "forkexec" {
		t.Errorf("selected %q, want forkexec", h.Selected())
	}
	var keys []string
	for _, k := range h.Registry().Keys() {
		if !strings.HasPrefix(string(k), "fault_") {
			keys = append(keys, string(k))
		}
	}
	if got, want := strings.Join(keys, " "), "bad echo forkexec forkserver go_fork goroutine isolate nowhere slow talker"; got != want {
		t.Errorf("keys %q, want %q", got, want)
	}
}

func TestSelectUnknown(t *testing.T) {
	h := open(t, host.Config{})
	before := len(linux.Children(keeperOf(t)))
	for _, key := range []string{"forkexecc", "", "ForkExec", "nothing_like_it"} {
		err := h.Select(t.Context(), key)
		if !errors.Is(err, spawn.ErrUnknownMethod) || !strings.Contains(err.Error(), "forkexec") {
			t.Errorf("Select(%q): %v", key, err)
		}
		if h.Selected() != "forkexec" {
			t.Errorf("after Select(%q): %q is selected", key, h.Selected())
		}
	}
	if after := len(linux.Children(keeperOf(t))); after != before {
		t.Errorf("%d processes under the keeper, %d before", after, before)
	}
}

// keeperOf returns the one child of this process.
func keeperOf(t *testing.T) int {
	t.Helper()
	c := linux.Children(syscall.Getpid())
	if len(c) != 1 {
		t.Fatalf("children of the host: %v, want the keeper alone", c)
	}
	return c[0]
}

func TestStubRefuses(t *testing.T) {
	h := open(t, host.Config{})
	for _, key := range []string{"go_fork", "goroutine"} {
		if err := h.Select(t.Context(), key); err != nil {
			t.Fatalf("Select(%s): %v", key, err)
		}
		h.Start(t.Context(), sh("true")) // its plugin is up
		keeper := keeperOf(t)
		before := len(linux.Children(keeper))
		for _, spec := range []spawn.Spec{sh("true"), {Path: "/nonexistent"}, {Path: "true", Options: []spawn.Option{{Key: "garbage", Value: "\xff"}}}} {
			begin := time.Now()
			_, err := h.Start(t.Context(), spec)
			var e *spawn.Error
			if !errors.Is(err, spawn.ErrNotImplemented) || !errors.As(err, &e) || e.Blocked == nil || e.Key != key {
				t.Fatalf("%s: %v (%#v)", key, err, e)
			}
			if d := time.Since(begin); d > 100*time.Millisecond {
				t.Errorf("%s: it took %v", key, d)
			}
			for _, want := range []string{key, e.Blocked.Reason, "forkexec", "docs/analysis/" + key + ".md"} {
				if want == "" || !strings.Contains(err.Error(), want) {
					t.Errorf("%s: the text %q does not say %q", key, err, want)
				}
			}
		}
		if after := len(linux.Children(keeper)); after != before {
			t.Errorf("%s: %d processes under the keeper, %d before", key, after, before)
		}
	}
	if _, err := h.StartMethod(t.Context(), "forkexec", sh("true")); err != nil {
		t.Errorf("another method afterwards: %v", err)
	}
}

func TestUnavailableAtSelection(t *testing.T) {
	h := open(t, host.Config{})
	err := h.Select(t.Context(), "nowhere")
	if !errors.Is(err, spawn.ErrUnavailable) || !strings.Contains(err.Error(), "nowhere") || !strings.Contains(err.Error(), "1.21 GW") {
		t.Errorf("Select: %v", err)
	}
	if h.Selected() != "forkexec" {
		t.Errorf("%q is selected", h.Selected())
	}
}

func TestPlanningIsBounded(t *testing.T) {
	h := open(t, host.Config{Timeouts: host.Timeouts{Spawn: 500 * time.Millisecond}})
	if err := h.Select(t.Context(), "slow"); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	_, err := h.Start(t.Context(), sh("true"))
	if !errors.Is(err, spawn.ErrTimeout) || time.Since(begin) > 2*time.Second {
		t.Errorf("%v after %v", err, time.Since(begin))
	}
}

// TestPluginKilledWhilePlanning: the caller learns of it at once, and may try
// again.
func TestPluginKilledWhilePlanning(t *testing.T) {
	h := open(t, host.Config{})
	if err := h.Select(t.Context(), "slow"); err != nil {
		t.Fatal(err)
	}
	plugin := linux.Children(keeperOf(t))
	errs := make(chan error, 1)
	go func() {
		_, err := h.Start(context.Background(), sh("true"))
		errs <- err
	}()
	// The request is in the plugin's hands, or on the way: both must do.
	<-time.After(50 * time.Millisecond)
	begin := time.Now()
	syscall.Kill(plugin[0], syscall.SIGKILL)
	select {
	case err := <-errs:
		var e *spawn.Error
		if !errors.Is(err, spawn.ErrPluginGone) || !errors.As(err, &e) || !e.Retryable() {
			t.Errorf("%v", err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("the death of the plugin was not noticed")
	}
	if d := time.Since(begin); d > time.Second {
		t.Errorf("it took %v", d)
	}
}

func TestBadPlan(t *testing.T) {
	h := open(t, host.Config{})
	_, err := h.StartMethod(t.Context(), "bad", sh("true"))
	if !errors.Is(err, spawn.ErrBadPlan) || !strings.Contains(err.Error(), "reboot") {
		t.Errorf("%v", err)
	}
}

func TestUnknownOption(t *testing.T) {
	h := open(t, host.Config{})
	spec := sh("true")
	spec.Options = []spawn.Option{{Key: "colour", Value: "blue"}}
	if _, err := h.Start(t.Context(), spec); !errors.Is(err, spawn.ErrBadOption) || !strings.Contains(err.Error(), "colour") {
		t.Errorf("%v", err)
	}
}

func TestPlanIsWhatStartExecutes(t *testing.T) {
	h := open(t, host.Config{})
	p, err := h.Plan(t.Context(), "forkexec", spawn.Spec{Path: "/bin/true", Dir: "/", Group: spawn.NewGroup})
	if err != nil {
		t.Fatal(err)
	}
	var ops []string
	for _, s := range p.Steps {
		ops = append(ops, string(s.Op))
	}
	if got, want := strings.Join(ops, " "), "clone setpgid files prlimit pdeathsig chdir exec"; got != want {
		t.Errorf("steps %q, want %q", got, want)
	}
}

// TestPluginKnowsItsProgram: though the keeper, whose child it is, is executed by another
// name of the file, a method that is built in finds it where the host does.
func TestPluginKnowsItsProgram(t *testing.T) {
	h := open(t, host.Config{})
	want, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var e *spawn.Error
	if err := h.Probe(t.Context(), "nowhere"); !errors.As(err, &e) || e.Path != want {
		t.Errorf("%v, want one that names %s", err, want)
	}
}

// TestChildKnowsItsProgram: the same for a child that is the host's own program.
func TestChildKnowsItsProgram(t *testing.T) {
	h := open(t, host.Config{})
	c := h.Command("/proc/self/exe")
	c.Args = helperproc.Argv("where")
	out, err := c.Output()
	if want := helperproc.Path(); err != nil || string(out) != want {
		t.Errorf("it is %q, %v, want %q", out, err, want)
	}
}

// whereHelper says where its program is.
func whereHelper([]string) int {
	program, err := os.Executable()
	if err != nil {
		return 1
	}
	os.Stdout.WriteString(program)
	return 0
}
