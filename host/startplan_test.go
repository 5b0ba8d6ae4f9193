//go:build linux

package host_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/spawn"
)

func TestStartPlan(t *testing.T) {
	h := open(t, host.Config{})
	spec := sh("exit $N")
	spec.Env = []string{"N=42"}
	plan := spawn.Standard(&spec)
	plan.Notes = []string{"as always"}
	p, err := h.StartPlan(t.Context(), plan, spec)
	if err != nil {
		t.Fatal(err)
	}
	if s := wait(t, p, 10*time.Second); s.Code != 42 || p.Method() != "" || !slices.Equal(p.Notes(), plan.Notes) {
		t.Errorf("status %v, method %q, notes %q", s, p.Method(), p.Notes())
	}
}

// TestStartPlanInherits has a plan do nothing but start the program: what it
// leaves open is the host's, from the environment to the limits.
func TestStartPlanInherits(t *testing.T) {
	t.Setenv("HATCHERY_TEST_MARK", "there")
	t.Chdir("/usr")
	h := open(t, host.Config{})
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	spec := sh("echo $HATCHERY_TEST_MARK; pwd -P; ulimit -Hn")
	spec.Path, spec.Files = "sh", []*os.File{nil, w}
	want, err := h.Command("sh", "-c", spec.Args[2]).Output()
	if err != nil {
		t.Fatal(err)
	}
	p, err := h.StartPlan(t.Context(), spawn.Standard(&spawn.Spec{}), spec)
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	wait(t, p, 10*time.Second)
	got := make([]byte, 1000)
	n, _ := r.Read(got)
	if string(got[:n]) != string(want) {
		t.Errorf("child: %q, want %q", got[:n], want)
	}
}

// TestStartPlanTooManyFiles: with the Spec's own, the plan has more descriptors
// than can be passed.
func TestStartPlanTooManyFiles(t *testing.T) {
	h := open(t, host.Config{})
	spec := sh("exit 0")
	spec.Files = []*os.File{os.Stdin}
	plan := spawn.Standard(&spec)
	plan.Reusable = false
	for range 250 {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		plan.Files = append(plan.Files, f)
	}
	_, err := h.StartPlan(t.Context(), plan, spec)
	if !errors.Is(err, spawn.ErrBadPlan) {
		t.Errorf("got %v, want %v", err, spawn.ErrBadPlan)
	}
	mentions(t, err, "251", "250")
}

// TestStartPlanOwnsTheFiles holds who closes a plan's files: whoever uses the
// plan up.
func TestStartPlanOwnsTheFiles(t *testing.T) {
	h := open(t, host.Config{})
	closed := open(t, host.Config{})
	closed.Close()
	for _, tt := range []struct {
		name     string
		host     *host.Host
		reusable bool
		spec     spawn.Spec
		fails    error
	}{
		{"started", h, false, spawn.Spec{Path: "true"}, nil},
		{"not found", h, false, spawn.Spec{Path: "/no/such/program"}, os.ErrNotExist},
		{"not a Spec", h, false, spawn.Spec{Path: "\x00"}, syscall.EINVAL},
		{"closed host", closed, false, spawn.Spec{Path: "true"}, spawn.ErrClosed},
		{"reusable", h, true, spawn.Spec{Path: "true"}, nil},
		{"reusable, not found", h, true, spawn.Spec{Path: "/no/such/program"}, os.ErrNotExist},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := os.Open("/dev/zero")
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			plan := spawn.Standard(&tt.spec)
			plan.Reusable, plan.Files = tt.reusable, []*os.File{f}
			plan.Insert(spawn.Dup(spawn.FD(0), 7))
			p, err := tt.host.StartPlan(t.Context(), plan, tt.spec)
			if !errors.Is(err, tt.fails) {
				t.Errorf("error %v, want %v", err, tt.fails)
			}
			if p != nil {
				wait(t, p, 10*time.Second)
			}
			if _, err := f.Stat(); errors.Is(err, os.ErrClosed) == tt.reusable {
				t.Errorf("the plan is reusable: %v; its file: %v", tt.reusable, err)
			}
		})
	}
}

func TestStartPlanRefusesBadPlans(t *testing.T) {
	h := open(t, host.Config{})
	extra := spawn.Standard(&spawn.Spec{})
	extra.Insert(spawn.Step{Op: "reboot"})
	lost := spawn.Standard(&spawn.Spec{})
	lost.Insert(spawn.Dup(spawn.FD(3), 7))
	for name, plan := range map[string]*spawn.Plan{
		"none": nil, "empty": {}, "unknown step": extra, "unknown descriptor": lost,
		"nil file": {Steps: lost.Steps, Files: []*os.File{nil}},
	} {
		if _, err := h.StartPlan(t.Context(), plan, spawn.Spec{Path: "true"}); !errors.Is(err, spawn.ErrBadPlan) {
			t.Errorf("%s: %v, want ErrBadPlan", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := h.StartPlan(ctx, spawn.Standard(&spawn.Spec{}), spawn.Spec{Path: "true"})
	if !errors.Is(err, spawn.ErrCanceled) || !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

// TestStartPlanIsANamedWait: as long as it lasts a dump shows it.
func TestStartPlanIsANamedWait(t *testing.T) {
	h := open(t, host.Config{})
	spec := sh("exit 3")
	p := start(t, h, sh("exec sleep 100"))
	defer p.Kill()
	keeper := keeperOf(t)
	stop(t, keeper)
	began := make(chan *host.Process)
	go func() {
		p, err := h.StartPlan(context.Background(), spawn.Standard(&spec), spec)
		if err != nil {
			t.Error(err)
		}
		began <- p
	}()
	eventually(t, func() bool { return h.Waits() >= 2 })
	says(t, dump(t, h), "\n  spawn  ", "\n  keeper ")
	must(t, syscall.Kill(keeper, syscall.SIGCONT))
	if p := <-began; p != nil {
		if s := wait(t, p, 10*time.Second); s.Code != 3 {
			t.Error(s)
		}
	}
}
