//go:build linux

package host_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/spawn"
)

var errHook = errors.New("what the hook says")

func TestNurseryWaitsUntilAChildIsReady(t *testing.T) {
	h := open(t, host.Config{})
	err := h.Nursery(t.Context(), host.NurseryConfig{}, func(ctx context.Context, n *host.Nursery) error {
		r, w, err := os.Pipe()
		if err != nil {
			return err
		}
		defer r.Close()
		cfg := member("slow", "echo ready; exec sleep 600")
		cfg.Spec.Files = []*os.File{nil, w}
		var ready *host.Process
		cfg.Ready = func(_ context.Context, p *host.Process) error {
			w.Close()
			ready = p
			_, err := r.Read(make([]byte, 1))
			return err
		}
		c, err := n.Start(ctx, cfg)
		if err != nil {
			return err
		}
		if c.Process() != ready {
			t.Error("Ready was called for another process, or too late")
		}
		return c.Stop(ctx)
	})
	var ce *host.ChildError
	if !errors.As(err, &ce) || ce.Status.Signal != syscall.SIGTERM {
		t.Error(err)
	}
}

func TestNurseryChildThatDoesNotGetReady(t *testing.T) {
	h := open(t, host.Config{})
	err := h.Nursery(t.Context(), host.NurseryConfig{}, func(ctx context.Context, n *host.Nursery) error {
		cfg := member("unready", `trap "" TERM; sleep 600 & sleep 600`)
		var process *host.Process
		cfg.Ready = func(_ context.Context, p *host.Process) error { process = p; return errHook }
		_, err := n.Start(ctx, cfg)
		var ce *host.ChildError
		if !errors.As(err, &ce) || ce.Name != "unready" || !errors.Is(err, errHook) {
			t.Errorf("%v, want what Ready said", err)
		}
		if s, _ := process.Wait(); s.Signal != syscall.SIGKILL {
			t.Errorf("%v: it is to be killed at once", s)
		}
		// One that never gets ready is bounded by the context of its start.
		cfg.Ready = func(ctx context.Context, p *host.Process) error { <-ctx.Done(); return ctx.Err() }
		bounded, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		defer cancel()
		if _, err := n.Start(bounded, cfg); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, want the end of the context", err)
		}
		return nil
	})
	if err != nil {
		t.Errorf("a child that was not started is no member: %v", err)
	}
}

// TestNurseryReadinessEndsWithTheNursery cancels it meanwhile.
func TestNurseryReadinessEndsWithTheNursery(t *testing.T) {
	h := open(t, host.Config{})
	err := h.Nursery(t.Context(), host.NurseryConfig{}, func(ctx context.Context, n *host.Nursery) error {
		cfg := sleeper("unready")
		cfg.Ready = func(ctx context.Context, p *host.Process) error {
			if n.Cause() != nil {
				t.Error("it is canceled already: ", n.Cause())
			}
			enlist(t, n, member("fails", "exit 3"))
			<-ctx.Done()
			return context.Cause(ctx)
		}
		_, err := n.Start(ctx, cfg)
		var exit *spawn.ExitError
		if !errors.As(err, &exit) || exit.Code != 3 || !errors.As(n.Cause(), &exit) {
			t.Errorf("%v, and %v: want the failure for a cause", err, n.Cause())
		}
		return err
	})
	if ne := nurseryError(t, err); len(ne.Causes) != 1 {
		t.Error(err)
	}
}

// TestNurseryStopsAChildThatIsNotReadyAgain stops it alone: the nursery goes on.
func TestNurseryStopsAChildThatIsNotReadyAgain(t *testing.T) {
	h := open(t, host.Config{})
	err := h.Nursery(t.Context(), host.NurseryConfig{}, func(ctx context.Context, n *host.Nursery) error {
		waiting := make(chan *host.Process)
		cfg := member("again", "exit 3")
		cfg.Restart = host.Restart{Max: 9, MinDelay: time.Millisecond}
		first := true
		cfg.Ready = func(ctx context.Context, p *host.Process) error {
			if first {
				first = false
				return nil
			}
			waiting <- p
			<-ctx.Done()
			return ctx.Err()
		}
		c := enlist(t, n, cfg)[0]
		p := <-waiting
		stopped := make(chan error, 1)
		go func() { stopped <- c.Stop(ctx) }()
		select {
		case err := <-stopped:
			var ce *host.ChildError
			<-p.Done()
			if !errors.As(err, &ce) || n.Cause() != nil {
				t.Errorf("it is stopped with %v, the nursery canceled for %v", err, n.Cause())
			}
		case <-time.After(5 * time.Second):
			t.Error("it is waited for until it is ready")
			n.Cancel()
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestNurseryBelievesWhatEndedSays(t *testing.T) {
	h := open(t, host.Config{})
	ended := func(cfg host.ChildConfig, f func(host.Ending) host.Ending) host.ChildConfig {
		cfg.Ended = func(_ *host.Process, e host.Ending) host.Ending { return f(e) }
		return cfg
	}
	// A success that was none, and a failure that was none.
	err := h.Nursery(t.Context(), host.NurseryConfig{}, func(ctx context.Context, n *host.Nursery) error {
		fails := enlist(t, n, ended(member("fails", "exit 4"), func(e host.Ending) host.Ending {
			var exit *spawn.ExitError
			if !errors.As(e.Err, &exit) || exit.Code != 4 || e.Obeyed {
				t.Errorf("it ended with %+v", e)
			}
			return host.Ending{}
		}))
		if err := fails[0].Wait(); err != nil {
			t.Error(err)
		}
		enlist(t, n, ended(member("succeeds", "exit 0"), func(e host.Ending) host.Ending {
			if e.Err != nil || !e.Obeyed {
				t.Errorf("it ended with %+v", e)
			}
			return host.Ending{Err: errHook}
		}))
		return nil
	})
	if ne := nurseryError(t, err); len(ne.Causes) != 1 || !errors.Is(ne.Causes[0], errHook) {
		t.Error(err)
	}
	// Of two that end by the same signal one has failed before it.
	err = h.Nursery(t.Context(), host.NurseryConfig{}, func(ctx context.Context, n *host.Nursery) error {
		enlist(t, n, ended(sleeper("obeys"), func(e host.Ending) host.Ending { return host.Ending{Err: e.Err, Obeyed: e.Obeyed} }))
		enlist(t, n, ended(sleeper("failed"), func(host.Ending) host.Ending { return host.Ending{Err: errHook} }))
		return context.DeadlineExceeded
	})
	ne := nurseryError(t, err)
	if len(ne.Causes) != 2 || !errors.Is(ne.Causes[1], errHook) || len(ne.Canceled) != 1 {
		t.Errorf("%v, with %v canceled", err, ne.Canceled)
	}
}

// TestNurseryCountsAnEndOnce has functions that hear of a child's end: one before
// the nursery itself does, and one after.
func TestNurseryCountsAnEndOnce(t *testing.T) {
	h := open(t, host.Config{})
	err := h.Nursery(t.Context(), host.NurseryConfig{}, func(ctx context.Context, n *host.Nursery) error {
		heard := make(chan error)
		tell := func(ctx context.Context) error { return fmt.Errorf("a call: %w", <-heard) }
		for _, name := range []string{"first", "second", "last"} {
			if err := n.Go(name, tell); err != nil {
				return err
			}
		}
		cfg := member("fails", "exit 3")
		cfg.Ended = func(_ *host.Process, e host.Ending) host.Ending {
			heard <- e.Err
			<-ctx.Done()
			heard <- e.Err
			return e
		}
		heard <- enlist(t, n, cfg)[0].Wait()
		return nil
	})
	ne := nurseryError(t, err)
	var child *host.ChildError
	if len(ne.Causes) != 1 || !errors.As(ne.Causes[0], &child) || child.Name != "fails" || child.Status.Code != 3 {
		t.Errorf("%v: want the child's failure alone", err)
	}
	if got := names(t, ne.Canceled); len(got) != 3 {
		t.Errorf("%v were canceled, want all that told of it", got)
	}
}

// TestAskThatWaits has children that hear the request, or do not.
func TestAskThatWaits(t *testing.T) {
	const grace = time.Second
	h := open(t, host.Config{})
	stop := func(script string, answer func(context.Context) error) (spawn.ExitStatus, time.Duration, bool) {
		p := ready(t, h, script)
		p.SetStop(host.StopOptions{
			Ask: func(ctx context.Context, _ *host.Process) error { return answer(ctx) }, AskTime: 200 * time.Millisecond, AskWaits: true, Grace: grace,
		})
		begin := time.Now()
		s, err := p.Stop(t.Context())
		if err != nil {
			t.Error(err)
		}
		return s, time.Since(begin), p.Forced()
	}
	hears := func(context.Context) error { return nil }
	const obeysTERM, deaf = `trap 'exit 5' TERM; echo; while :; do sleep 0.01; done`, `trap "" TERM; echo; while :; do sleep 0.01; done`
	for name, test := range map[string]struct {
		script   string
		answer   func(context.Context) error
		min, max time.Duration
		forced   bool
	}{
		"heard, and needs the signal":   {obeysTERM, hears, 700 * time.Millisecond, grace, false},
		"heard, and ends by itself":     {"echo; sleep 0.3; exit 5", hears, 0, 700 * time.Millisecond, false},
		"heard, and does not end":       {deaf, hears, grace - 50*time.Millisecond, grace + 500*time.Millisecond, true},
		"refuses":                       {obeysTERM, func(context.Context) error { return errHook }, 0, 200 * time.Millisecond, false},
		"does not hear":                 {obeysTERM, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, 200 * time.Millisecond, 600 * time.Millisecond, false},
		"does not hear, nor the signal": {deaf, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, grace - 50*time.Millisecond, grace + 500*time.Millisecond, true},
	} {
		s, took, forced := stop(test.script, test.answer)
		if took < test.min || took > test.max+2*time.Second || forced != test.forced || !forced && s.Code != 5 {
			t.Errorf("%s: %v after %v, forced %v; want %v to %v, forced %v", name, s, took, forced, test.min, test.max, test.forced)
		}
	}
}
