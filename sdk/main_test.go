//go:build unix

package sdk_test

import (
	"context"
	"errors"
	"os"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/helperproc"
	"github.com/hatchery-spawn/hatchery/internal/wire"
	"github.com/hatchery-spawn/hatchery/sdk"
	"github.com/hatchery-spawn/hatchery/spawn"
)

func TestPlannerServed(t *testing.T) {
	p := start(t, helper(t, "planner", ""))
	d := p.control.Description()
	if d.Key != testKey || d.Status != "stable" || !reflect.DeepEqual(d.Features, []string{wire.FeaturePlanner}) {
		t.Errorf("description %+v", d)
	}
	plan, err := p.plan(t, "/bin/true")
	if err != nil || !reflect.DeepEqual(plan, spawn.Standard(&spawn.Spec{Path: "/bin/true"})) {
		t.Errorf("plan %v, %v", plan, err)
	}
	err = p.control.Probe(t.Context())
	if e := spawn.AsError(err); !errors.Is(err, spawn.ErrUnavailable) || e.Key != testKey || e.Phase != spawn.PhaseSelect || e.Msg != "no dice" {
		t.Errorf("probe: %v", err)
	}
	_, err = p.plans.Spawn(t.Context(), &spawn.Spec{Path: "x"})
	if !errors.Is(err, spawn.ErrProtocol) {
		t.Errorf("spawn on a planner: %v", err)
	}
}

func TestErrorsAreCompleted(t *testing.T) {
	p := start(t, helper(t, "planner", ""))
	_, err := p.plan(t, "plain")
	if e := spawn.AsError(err); !errors.Is(err, syscall.ENOSPC) || e.Key != testKey || e.Phase != spawn.PhasePlan {
		t.Errorf("got %#v", err)
	}
	_, err = p.plan(t, "whole")
	if e := spawn.AsError(err); !errors.Is(err, spawn.ErrUnavailable) || e.Key != testKey || e.Phase != spawn.PhaseResolve {
		t.Errorf("got %#v", err)
	}
}

func TestSpawnerServed(t *testing.T) {
	p := start(t, helper(t, "spawner"))
	if d := p.control.Description(); d.Status != "experimental" || !reflect.DeepEqual(d.Features, []string{wire.FeatureSpawner}) {
		t.Errorf("description %+v", d)
	}
	c, err := p.plans.Spawn(t.Context(), &spawn.Spec{Path: "x"})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Signal(t.Context(), syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	if st := <-c.Exited(); st.Signal != syscall.SIGTERM || st.Source != spawn.FromBackend {
		t.Errorf("status %+v", st)
	}
	if _, err := p.plans.Spawn(t.Context(), &spawn.Spec{Path: "nil"}); !errors.Is(err, spawn.ErrProtocol) {
		t.Errorf("no child and no error: %v", err)
	}
	if _, err := p.plan(t, "x"); !errors.Is(err, spawn.ErrNotImplemented) {
		t.Errorf("plan of a spawner: %v", err)
	}
}

func TestBareBackend(t *testing.T) {
	p := start(t, helper(t, "bare"))
	if d := p.control.Description(); len(d.Features) > 0 {
		t.Errorf("features %q", d.Features)
	}
	if err := p.control.Probe(t.Context()); err != nil {
		t.Errorf("probe: %v", err)
	}
	if _, err := p.plan(t, "x"); !errors.Is(err, spawn.ErrProtocol) {
		t.Errorf("plan: %v", err)
	}
}

func TestShutdownClosesTheBackend(t *testing.T) {
	p := start(t, helper(t, "planner", ""))
	if err := p.control.Close(t.Context(), 5*time.Second); err != nil || p.control.Forced() {
		t.Errorf("close: %v, forced %v", err, p.control.Forced())
	}
	if code := p.exit(t); code != 0 || strings.Count(p.process.Stderr(), "closed") != 1 {
		t.Errorf("exit %d, output %q", code, p.process.Stderr())
	}
}

func TestShutdownOfAStuckBackend(t *testing.T) {
	p := start(t, helper(t, "planner", "stuck"))
	begin := time.Now()
	if err := p.control.Close(t.Context(), 200*time.Millisecond); err != nil || !p.control.Forced() {
		t.Errorf("close: %v, forced %v", err, p.control.Forced())
	}
	if took := time.Since(begin); took > time.Second {
		t.Errorf("took %v", took)
	}
}

// TestHostGone has the lane end, which is how a plugin learns of its host's
// death, in all the states it can be in.
func TestHostGone(t *testing.T) {
	for _, state := range []struct{ plan, closing string }{{"", ""}, {"slow", ""}, {"stuck", ""}, {"", "stuck"}, {"", "fails"}} {
		t.Run(state.plan+"-"+state.closing, func(t *testing.T) {
			p := start(t, helper(t, "planner", state.closing))
			done := make(chan struct{})
			close(done)
			if state.plan != "" {
				done = make(chan struct{})
				go func() {
					defer close(done)
					p.plan(t, state.plan)
				}()
				p.waitFor(t, "planning "+state.plan)
			}
			begin := time.Now()
			p.plans.Close()
			code := p.exit(t)
			if took := time.Since(begin); took > 1500*time.Millisecond {
				t.Errorf("ended after %v", took)
			}
			want := 0
			if state.plan == "stuck" {
				want = 1 // something was left behind, and said so
			}
			if code != want {
				t.Errorf("exit %d, want %d: %s", code, want, p.process.Stderr())
			}
			if closed := strings.Contains(p.process.Stderr(), "closed"); closed != (state.closing == "") {
				t.Errorf("closed is %v: %q", closed, p.process.Stderr())
			}
			<-done
		})
	}
}

func TestSIGTERM(t *testing.T) {
	p := start(t, helper(t, "planner", ""))
	if err := p.process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := p.exit(t); code != 0 || !strings.Contains(p.process.Stderr(), "closed") {
		t.Errorf("exit %d, output %q", code, p.process.Stderr())
	}
	if _, err := p.plan(t, "x"); !errors.Is(err, spawn.ErrPluginGone) {
		t.Errorf("plan afterwards: %v", err)
	}
}

func TestKilledWhilePlanning(t *testing.T) {
	for _, how := range []string{"killed", "panic"} {
		t.Run(how, func(t *testing.T) {
			p := start(t, helper(t, "planner", ""))
			mode := map[string]string{"killed": "stuck", "panic": "panic"}[how]
			failed := make(chan error, 1)
			go func() {
				_, err := p.plan(t, mode)
				failed <- err
			}()
			p.waitFor(t, "planning "+mode)
			begin := time.Now()
			if how == "killed" {
				p.process.Signal(syscall.SIGKILL)
			}
			err := <-failed
			if took := time.Since(begin); took > time.Second {
				t.Errorf("noticed after %v", took)
			}
			if !errors.Is(err, spawn.ErrPluginGone) {
				t.Errorf("got %v, want ErrPluginGone", err)
			}
			p.exit(t)
			if how == "panic" && !strings.Contains(p.process.Stderr(), "boom in Plan") {
				t.Errorf("its last words: %q", p.process.Stderr())
			}
		})
	}
}

func TestCallerGivesUp(t *testing.T) {
	p := start(t, helper(t, "planner", ""))
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, err := p.plans.Plan(ctx, &spawn.Spec{Path: "slow"})
		failed <- err
	}()
	p.waitFor(t, "planning slow")
	cancel()
	if err := <-failed; !errors.Is(err, spawn.ErrCanceled) {
		t.Errorf("got %v, want ErrCanceled", err)
	}
	p.waitFor(t, "cancelled")
}

func TestTerminalSignalsDoNothing(t *testing.T) {
	p := start(t, helper(t, "planner", ""))
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGHUP, syscall.SIGPIPE, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU} {
		if err := p.process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		if _, err := p.plan(t, "x"); err != nil {
			t.Errorf("after %v: %v", sig, err)
		}
	}
}

func TestBrokenOutputDoesNothing(t *testing.T) {
	p := start(t, helper(t, "planner", ""))
	p.process.BreakOutput()
	for range 3 { // each prints a line
		if _, err := p.plan(t, "x"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhatTheBackendSees(t *testing.T) {
	l := helper(t, "planner", "")
	l.Extra = []*os.File{os.Stderr, os.Stderr}
	p := start(t, l)
	_, err := p.plan(t, "environment")
	for _, v := range strings.Split(spawn.AsError(err).Msg, "\n") {
		if strings.HasPrefix(v, "PLUGIN_") || strings.HasPrefix(v, "HATCHERY_") {
			t.Errorf("the environment has %s", v)
		}
	}
	if _, err = p.plan(t, "descriptors"); spawn.AsError(err).Msg != "" {
		t.Errorf("a child would inherit %v", err)
	}
}

// TestByHand runs plugins without a host.
func TestByHand(t *testing.T) {
	for name, env := range map[string][]string{
		"a shell":         {"PATH=/"},
		"a foreign host":  {"HATCHERY_PLUGIN_COOKIE=7c1f0e6a5f7d4c0fb8b9d7d6f0a3e2c4"},
		"a foreign guest": {"HATCHERY_PLUGIN_COOKIE=1"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := helperproc.Command("bare")
			cmd.Env = env
			var out, errs strings.Builder
			cmd.Stdout, cmd.Stderr = &out, &errs
			cmd.Run()
			if code := cmd.ProcessState.ExitCode(); code != 2 || out.Len() > 0 {
				t.Errorf("exit %d, standard output %q", code, out.String())
			}
			text := errs.String()
			if !strings.Contains(text, `"subject"`) || !strings.Contains(text, "spawn-backend-subject") || strings.Contains(text, "\n\n") || len(text) > 600 {
				t.Errorf("standard error:\n%s", text)
			}
			if name == "a foreign host" && !strings.Contains(text, "descriptor 3") {
				t.Errorf("does not say what is missing:\n%s", text)
			}
		})
	}
}

func TestEntry(t *testing.T) {
	e := sdk.Entry(spawner{})
	if e.Key != testKey || e.Status != "experimental" || e.Summary != "elsewhere" || e.Serve == nil || e.Path != "" {
		t.Errorf("entry %+v", e)
	}
}
