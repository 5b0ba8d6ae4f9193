package parent_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hatchery-spawn/hatchery/actor"
	"github.com/hatchery-spawn/hatchery/actor/parent"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// failure starts an actor that fails and returns its error.
func failure(t *testing.T, h *host.Host, s parent.Spec) error {
	t.Helper()
	var werr error
	err := nursery(t, h, func(ctx context.Context, n *host.Nursery) error {
		a := start(t, n, s)
		werr = a.Wait()
		if cerr := a.Channel().Err(); !errors.Is(cerr, werr.(*host.ChildError).Err) {
			t.Errorf("the channel ended with %v, the actor with %v", cerr, werr)
		}
		return nil
	})
	var ne *host.NurseryError
	if !errors.As(err, &ne) || len(ne.Causes) != 1 || len(ne.Canceled) != 0 {
		t.Errorf("the nursery ended with %v, want one cause", err)
	}
	return werr
}

func remote(t *testing.T, err error) *actor.RemoteError {
	t.Helper()
	var r *actor.RemoteError
	if !errors.As(err, &r) {
		t.Fatalf("%v is nothing that an actor has said", err)
	}
	return r
}

func TestAnErrorKeepsItsIdentity(t *testing.T) {
	h := open(t, host.Config{})
	t.Run("plain", func(t *testing.T) {
		err := failure(t, h, spec("a", "fail", "plain"))
		r := remote(t, err)
		if r.Error() != "a plain error" || r.Type != "*errors.errorString" || !cmp.Equal(r.Path, []string{"a"}) || r.Panic {
			t.Errorf("%+v", r)
		}
		var exit *spawn.ExitError
		if !errors.As(err, &exit) || exit.Code != 1 {
			t.Errorf("%v has not the status 1", err)
		}
		if !strings.Contains(err.Error(), `child "a"`) || !strings.HasSuffix(err.Error(), ": a plain error") {
			t.Errorf("the text is %q", err)
		}
	})
	t.Run("value", func(t *testing.T) {
		err := failure(t, h, spec("a", "fail", "value"))
		if !errors.Is(err, errOwn) || remote(t, err).Error() != "wrapped: "+errOwn.Error() {
			t.Errorf("%v is not the error registered", err)
		}
	})
	t.Run("not registered", func(t *testing.T) {
		s := spec("a", "fail", "value")
		s.Errors = nil
		err := failure(t, h, s)
		if errors.Is(err, errOwn) || !strings.Contains(err.Error(), errOwn.Error()) {
			t.Errorf("%v: want the text alone", err)
		}
	})
	t.Run("type", func(t *testing.T) {
		err := failure(t, h, spec("a", "fail", "type"))
		var own *ownError
		if !errors.As(err, &own) || own.Code != 7 || own.Text != "typed" {
			t.Errorf("%v is not the type registered: %+v", err, own)
		}
		var pe *fs.PathError
		if !errors.Is(err, fs.ErrNotExist) || !errors.Is(err, syscall.ENOENT) || !errors.As(err, &pe) || pe.Path != "/nowhere" {
			t.Errorf("%v is not the error of a missing file", err)
		}
	})
	t.Run("trace", func(t *testing.T) {
		err := failure(t, h, spec("a", "fail", "trace"))
		if r := remote(t, err); !errors.Is(err, errOwn) || !strings.Contains(r.Stack, "parent_test.fail") {
			t.Errorf("%v has the stack %q", err, r.Stack)
		}
	})
	t.Run("panic", func(t *testing.T) {
		err := failure(t, h, spec("a", "fail", "panic"))
		r := remote(t, err)
		if !r.Panic || r.Error() != "panic: a panic of a" || r.Type != "string" || !strings.Contains(r.Stack, "parent_test.fail") {
			t.Errorf("%+v", r)
		}
		var exit *spawn.ExitError
		if !errors.As(err, &exit) || exit.Code != 2 || !strings.Contains(string(exit.Stderr), "goroutine ") {
			t.Errorf("%v is not how a Go program ends that panics: %q", err, exit.Stderr)
		}
	})
	t.Run("exit", func(t *testing.T) {
		err := failure(t, h, spec("a", "fail", "exit"))
		var exit *spawn.ExitError
		if !errors.As(err, &exit) || exit.Code != 9 || !strings.HasSuffix(err.Error(), `: exit status 9, its last words: "last words"`) {
			t.Errorf("%v", err)
		}
	})
}

// TestAPanicElsewhere holds that the process is the boundary: what the actor
// could not say stands in its standard error.
func TestAPanicElsewhere(t *testing.T) {
	err := failure(t, open(t, host.Config{}), spec("a", "panic"))
	var exit *spawn.ExitError
	if !errors.As(err, &exit) || exit.Code != 2 || !strings.Contains(string(exit.Stderr), "panic: a panic elsewhere") {
		t.Errorf("%v: want the status of a panic, and its text", err)
	}
}

// TestChildSIGINT sends the signal, and then the request: the actor says which of
// them it has obeyed.
func TestChildSIGINT(t *testing.T) {
	h := open(t, host.Config{})
	for _, test := range []struct {
		mode parent.SIGINTMode
		by   string
		code int
	}{{"", self(), 143}, {parent.SIGINTParent, self(), 143}, {parent.SIGINTSelf, "SIGINT", 130}} {
		t.Run(string(test.mode), func(t *testing.T) {
			nursery(t, h, func(ctx context.Context, n *host.Nursery) error {
				s := spec("a", "wait")
				s.ChildSIGINT = test.mode
				a := start(t, n, s)
				if err := a.Child().Process().Signal(syscall.SIGINT); err != nil {
					t.Error(err)
				}
				if test.mode != parent.SIGINTSelf {
					if err := a.Cancel(ctx, ""); err != nil {
						t.Error("Cancel: ", err)
					}
				}
				err := a.Wait()
				var c *actor.Canceled
				var exit *spawn.ExitError
				if !errors.As(err, &c) || !strings.HasPrefix(c.By, test.by) || !errors.As(err, &exit) || exit.Code != test.code {
					t.Errorf("%v: want code %d, canceled by %s", err, test.code, test.by)
				}
				return nil
			})
		})
	}
}

func TestAllFailuresAreThereOnce(t *testing.T) {
	h := open(t, host.Config{})
	const children = 25
	err := nursery(t, h, func(ctx context.Context, n *host.Nursery) error {
		// They fail when a pipe is closed, all at once, asked to end or not.
		gate := newGate(t)
		for i := range children {
			start(t, n, gate.at(spec(fmt.Sprint("child ", i), "gate")))
		}
		gate.open()
		return nil
	})
	var ne *host.NurseryError
	if !errors.As(err, &ne) {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, c := range ne.Causes {
		r := remote(t, c)
		if want := "failed: " + r.Path[0]; r.Error() != want || seen[want] {
			t.Errorf("%v: want each child's own error once", c)
		}
		seen[r.Error()] = true
	}
	if len(ne.Causes) != children || len(ne.Canceled) != 0 {
		t.Errorf("%d causes and %d canceled, want %d and none", len(ne.Causes), len(ne.Canceled), children)
	}
}

func TestCausesAndCancellations(t *testing.T) {
	h := open(t, host.Config{})
	err := nursery(t, h, func(ctx context.Context, n *host.Nursery) error {
		start(t, n, spec("waits 1", "wait"))
		start(t, n, spec("waits 2", "wait"))
		start(t, n, spec("fails", "fail", "value"))
		return nil
	})
	var ne *host.NurseryError
	if !errors.As(err, &ne) || len(ne.Causes) != 1 || !errors.Is(ne.Causes[0], errOwn) || len(ne.Canceled) != 2 {
		t.Fatalf("%v: want the failure as the one cause, and two cancellations", err)
	}
	for _, e := range ne.Canceled {
		var c *actor.Canceled
		if !errors.As(e, &c) || !strings.Contains(c.By, self()) || !strings.Contains(c.Reason, `child "fails"`) {
			t.Errorf("%v does not say who asked, and why", e)
		}
		if e := e.(*host.ChildError); e.Forced || e.Status.Code != 143 {
			t.Errorf("%v: forced %v, status %v: no signal was needed", e, e.Forced, e.Status)
		}
	}
}

func TestStopOfAHealthyActor(t *testing.T) {
	h := open(t, host.Config{})
	err := nursery(t, h, func(ctx context.Context, n *host.Nursery) error {
		a := start(t, n, spec("a", "wait"))
		if err := a.Cancel(ctx, "for a reason"); err != nil {
			t.Error("Cancel: ", err)
		}
		err := a.Wait()
		var c *actor.Canceled
		if !errors.As(err, &c) || c.Reason != "for a reason" {
			t.Errorf("%v does not say why", err)
		}
		return nil
	})
	// That the first ended was nobody's wish in the nursery.
	var ne *host.NurseryError
	if !errors.As(err, &ne) || len(ne.Causes) != 1 || !actor.OnlyCanceled(ne.Causes[0].(*host.ChildError).Err.(*parent.Failure).Reported) {
		t.Errorf("the nursery: %v", err)
	}
	err = nursery(t, h, func(ctx context.Context, n *host.Nursery) error {
		a := start(t, n, spec("a", "wait"))
		if err := a.Stop(ctx); !errors.Is(err, context.Canceled) || a.Child().Process().Forced() {
			t.Errorf("Stop: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Error("Stop failed the nursery: ", err)
	}
}

func TestAnActorThatDoesNotAcknowledge(t *testing.T) {
	h := open(t, host.Config{})
	err := nursery(t, h, func(ctx context.Context, n *host.Nursery) error {
		s := spec("frozen", "wait")
		s.Stop.AskTime, s.Stop.Grace = 100*time.Millisecond, time.Second
		a := start(t, n, s)
		freeze(t, a.Child().Process())
		err := a.Cancel(ctx, "")
		if !errors.Is(err, parent.ErrTooSlow) || !errors.Is(err, spawn.ErrTimeout) || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Cancel: %v, want ErrTooSlow", err)
		}
		short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
		defer cancel()
		if err := a.Cancel(short, ""); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, parent.ErrTooSlow) {
			t.Errorf("Cancel: %v, want the caller's own deadline", err)
		}
		// SIGTERM and SIGCONT follow: it wakes, and ends as it was asked to.
		if err := a.Stop(ctx); !errors.Is(err, parent.ErrTooSlow) || a.Child().Process().Forced() {
			t.Errorf("Stop: %v, forced %v", err, a.Child().Process().Forced())
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestStuckActorsEndInOneGrace has 25 that acknowledge and do not end.
func TestStuckActorsEndInOneGrace(t *testing.T) {
	h := open(t, host.Config{})
	const grace = 2 * time.Second
	var began time.Time
	err := nursery(t, h, func(ctx context.Context, n *host.Nursery) error {
		for i := range 25 {
			s := spec(fmt.Sprint("stuck ", i), "stuck")
			s.Stop.Grace = grace
			start(t, n, s)
		}
		began = time.Now()
		return errOwn
	})
	took := time.Since(began)
	if took < grace || took > 2*grace {
		t.Errorf("it took %v, want one grace of %v", took, grace)
	}
	var ne *host.NurseryError
	if !errors.As(err, &ne) || len(ne.Canceled) != 25 || len(ne.Causes) != 1 {
		t.Fatal(err)
	}
	for _, e := range ne.Canceled {
		if e := e.(*host.ChildError); !e.Forced || e.Status.Signal != syscall.SIGKILL {
			t.Errorf("%v: want it killed", e)
		}
	}
}
