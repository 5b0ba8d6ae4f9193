//go:build unix

package backends_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/backends"
	"github.com/hatchery-spawn/hatchery/backends/forkexec"
	"github.com/hatchery-spawn/hatchery/backends/isolate"
	"github.com/hatchery-spawn/hatchery/backends/stub_blocked"
	"github.com/hatchery-spawn/hatchery/internal/helperproc"
	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
	"github.com/hatchery-spawn/hatchery/internal/wire"
	"github.com/hatchery-spawn/hatchery/internal/wire/wiretest"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/sdk"
	"github.com/hatchery-spawn/hatchery/spawn"
)

func TestMain(m *testing.M) {
	os.Exit(helperproc.Main(func() int { return leakcheck.Main(m) }, map[string]helperproc.Func{
		"serve": func(args []string) int {
			for _, e := range backends.Builtin() {
				if string(e.Key) == args[0] {
					return e.Serve()
				}
			}
			return 3
		},
	}))
}

// subjects are the backends themselves, in process.
func subjects() []sdk.Planner {
	return []sdk.Planner{forkexec.New(), isolate.New(), stub_blocked.GoFork(), stub_blocked.Goroutine()}
}

// specs are what every backend is asked for: the ordinary, the odd, and what
// makes no sense.
func specs() map[string]*spawn.Spec {
	terminal, umask := 99, uint32(1<<32-1)
	return map[string]*spawn.Spec{
		"plain":   {Path: "/bin/true"},
		"empty":   {},
		"bytes":   {Path: "/\xff", Args: []string{"\xfe", ""}, Env: []string{"=", "\x00"}, Dir: "\n"},
		"options": {Path: "x", Options: []spawn.Option{{Key: "\xff"}, {Value: "v"}, {Key: "k", Value: strings.Repeat("v", 100_000)}}},
		"wild": {Path: "x", Group: -77, Session: true, Terminal: &terminal, Umask: &umask,
			Ignore: []syscall.Signal{-1, 999}, Limits: []spawn.Limit{{Resource: -1}}, Credential: &spawn.Credential{UID: 1 << 31}},
	}
}

func TestBuiltinCanBeRegistered(t *testing.T) {
	reg, err := registry.New(backends.Builtin()...)
	if err != nil {
		t.Fatal(err)
	}
	if want := []registry.SpawnMethodKey{"forkexec", "forkserver", "go_fork", "goroutine", "isolate"}; !reflect.DeepEqual(reg.Keys(), want) {
		t.Errorf("keys %q, want %q", reg.Keys(), want)
	}
	for _, e := range reg.Entries() {
		if e.Status != registry.Blocked {
			continue
		}
		if alt, err := reg.Lookup(e.Alternative); err != nil || alt.Status == registry.Blocked {
			t.Errorf("%s: its alternative %q: %v", e.Key, e.Alternative, err)
		}
		if _, err := os.Stat(filepath.Join("..", e.Analysis)); err != nil {
			t.Errorf("%s: its analysis: %v", e.Key, err)
		}
	}
}

// TestBlockedRefuseEverything holds the promise about blocked methods.
func TestBlockedRefuseEverything(t *testing.T) {
	for _, b := range []sdk.Planner{stub_blocked.GoFork(), stub_blocked.Goroutine()} {
		d := b.Describe()
		for name, s := range specs() {
			p, err := b.Plan(t.Context(), s)
			if e := spawn.AsError(err); p != nil || !errors.Is(err, spawn.ErrNotImplemented) || e.Key != d.Key || e.Blocked == nil {
				t.Fatalf("%s, %s: got %v, %v", d.Key, name, p, err)
			}
			for _, part := range []string{d.Key, d.Reason, "use forkexec instead", d.Analysis} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%s: no %q in: %v", d.Key, part, err)
				}
			}
		}
	}
}

// TestReExecuted asks each backend in a process of its own, served by this
// binary, and compares with what it says in process.
func TestReExecuted(t *testing.T) {
	for _, b := range subjects() {
		key := b.Describe().Key
		t.Run(key, func(t *testing.T) {
			compare(t, b, wiretest.New(t, helperproc.Path(), helperproc.Argv("serve", key)...))
		})
	}
}

// TestBinaries does the same with the plugin binaries.
func TestBinaries(t *testing.T) {
	if testing.Short() {
		t.Skip("builds four programs")
	}
	dir := t.TempDir()
	for _, b := range subjects() {
		key := b.Describe().Key
		t.Run(key, func(t *testing.T) {
			path := filepath.Join(dir, "spawn-backend-"+key)
			if out, err := exec.Command("go", "build", "-o", path, "../cmd/spawn-backend-"+key).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			compare(t, b, wiretest.New(t, path, path))
		})
	}
}

func compare(t *testing.T, b sdk.Planner, l *wiretest.Launcher) {
	leakcheck.Check(t)
	d := b.Describe()
	c, err := wire.Dial(t.Context(), wire.ClientConfig{Key: d.Key, Start: l.Start, SocketDir: wiretest.SocketDir(t), StartTimeout: 20 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := c.Close(context.Background(), 5*time.Second); err != nil || c.Forced() {
			t.Errorf("close: %v, forced %v", err, c.Forced())
		}
		l.Last().Release()
	}()
	plans := wire.NewPlanner(d.Key, l.Last().Lane(t))
	defer plans.Close()

	got := c.Description()
	if got.Key != d.Key || got.Summary != d.Summary || got.Status != d.Status || got.Reason != d.Reason ||
		got.Alternative != d.Alternative || got.Analysis != d.Analysis || got.Scenario != d.Scenario || !got.Has(wire.FeaturePlanner) {
		t.Errorf("it describes itself as %+v, want %+v", got, d)
	}
	for name, s := range specs() {
		wantPlan, wantErr := b.Plan(t.Context(), s)
		plan, err := plans.Plan(t.Context(), s)
		if !reflect.DeepEqual(plan, wantPlan) {
			t.Errorf("%s: got\n%v\nwant\n%v", name, plan, wantPlan)
		}
		if wantErr == nil && err != nil || wantErr != nil && !reflect.DeepEqual(err, wantErr) {
			t.Errorf("%s: got\n%#v\nwant\n%#v", name, err, wantErr)
		}
	}
}
