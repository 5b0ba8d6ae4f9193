package portal_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hatchery-spawn/hatchery/actor"
	"github.com/hatchery-spawn/hatchery/actor/parent"
	"github.com/hatchery-spawn/hatchery/actor/portal"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// soon is within what a call has to end that has nothing to wait for. It is
// generous: the machine may be busy.
const soon = 5 * time.Second

// ending runs body with an actor that is to fail.
func ending(t *testing.T, body func(context.Context, *host.Nursery, *parent.Actor, *portal.Portal)) {
	t.Helper()
	nursery(t, func(ctx context.Context, n *host.Nursery) error {
		a, p := start(t, ctx, n, spec("a"), nil)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), soon)
		defer cancel()
		body(ctx, n, a, p)
		return nil
	})
}

func TestCallsEndWithTheActor(t *testing.T) {
	ending(t, func(ctx context.Context, _ *host.Nursery, a *parent.Actor, p *portal.Portal) {
		waits := make(chan error, 2)
		go func() {
			_, err := portal.Call[int](ctx, p, "wait", "call")
			waits <- err
		}()
		go func() {
			s, err := portal.OpenStream[string, int](ctx, p, "waitstream")
			if err == nil {
				s.Send("stream")
				_, err = s.Recv()
			}
			waits <- err
		}()
		for _, name := range []string{"call", "stream"} {
			if _, err := portal.Call[int](ctx, p, "waiting", name); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.Child().Process().Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		killed := func(err error) {
			t.Helper()
			var exit *spawn.ExitError
			if !errors.Is(err, portal.ErrGone) || !errors.As(err, &exit) || exit.Signal != syscall.SIGKILL || errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v has not how the actor ended", err)
			}
		}
		killed(<-waits)
		killed(<-waits)
		_, err := portal.Call[point](ctx, p, "mirror", point{})
		killed(err)
		_, err = portal.OpenStream[string, int](ctx, p, "waitstream")
		killed(err)
		q, err := portal.New(ctx, a.Channel(), portal.Config{}) // which has no connection yet
		if err != nil {
			t.Fatal(err)
		}
		_, err = portal.Call[point](ctx, q, "mirror", point{})
		killed(err)
	})
}

// TestADeathIsOneFailure has functions of a nursery that call an actor which is
// killed: the nursery has failed for that once.
func TestADeathIsOneFailure(t *testing.T) {
	err := nursery(t, func(ctx context.Context, n *host.Nursery) error {
		a, p := start(t, ctx, n, spec("a"), nil)
		for i := range 5 {
			name := fmt.Sprint(i)
			if err := n.Go("caller "+name, func(ctx context.Context) error {
				_, err := portal.Call[int](ctx, p, "wait", name)
				return err
			}); err != nil {
				return err
			}
			if _, err := portal.Call[int](ctx, p, "waiting", name); err != nil {
				return err
			}
		}
		return a.Child().Process().Signal(syscall.SIGKILL)
	})
	var ne *host.NurseryError
	var child *host.ChildError
	if !errors.As(err, &ne) || len(ne.Causes) != 1 || !errors.As(err, &child) || child.Name != "a" || child.Status.Signal != syscall.SIGKILL {
		t.Errorf("%v: want the end of the actor, once", err)
	}
}

func TestACallThatEndsTheActor(t *testing.T) {
	ending(t, func(ctx context.Context, _ *host.Nursery, a *parent.Actor, p *portal.Portal) {
		_, err := portal.Call[int](ctx, p, "fail", "exit")
		var exit *spawn.ExitError
		if !errors.As(err, &exit) || exit.Code != 9 || !strings.Contains(err.Error(), "last words") {
			t.Errorf("%v has not the status", err)
		}
	})
}

func TestAPanicIsAnErrorAndTheEndOfTheProcess(t *testing.T) {
	ending(t, func(ctx context.Context, _ *host.Nursery, a *parent.Actor, p *portal.Portal) {
		other := make(chan error)
		go func() {
			_, err := portal.Call[int](ctx, p, "stuck", "other")
			other <- err
		}()
		portal.Call[int](ctx, p, "waiting", "other")
		_, err := portal.Call[int](ctx, p, "fail", "panic")
		var r *actor.RemoteError
		if !errors.As(err, &r) || !r.Panic || r.Error() != "panic: a panic" || r.Type != "string" || !strings.Contains(r.Stack, "portal_test.fail") {
			t.Errorf("the caller has %v, %+v", err, r)
		}
		werr := a.Wait()
		var exit *spawn.ExitError
		if !errors.As(werr, &exit) || exit.Code != 2 || !strings.Contains(string(exit.Stderr), "portal_test.fail") {
			t.Errorf("the actor has ended with %v: %q", werr, exit.Stderr)
		}
		if !errors.As(werr, &r) || !strings.Contains(r.Error(), "a panic") {
			t.Errorf("the actor has said %v", werr)
		}
		if err := <-other; !errors.Is(err, portal.ErrGone) || !errors.As(err, &exit) || exit.Code != 2 {
			t.Errorf("another call has %v", err)
		}
	})
}

// TestWhoCanceled has an actor canceled while it is called.
func TestWhoCanceled(t *testing.T) {
	for _, function := range []string{"wait", "stuck"} {
		t.Run(function, func(t *testing.T) {
			ending(t, func(ctx context.Context, n *host.Nursery, a *parent.Actor, p *portal.Portal) {
				called := make(chan error)
				go func() {
					_, err := portal.Call[int](ctx, p, function, "x")
					called <- err
				}()
				portal.Call[int](ctx, p, "waiting", "x")
				if err := a.Cancel(ctx, "no more of it"); err != nil && !errors.Is(err, context.Canceled) { // it may end before it answers
					t.Fatal(err)
				}
				err := <-called
				var c *actor.Canceled
				if !errors.As(err, &c) || !strings.HasPrefix(c.By, filepath.Base(os.Args[0])+" (process ") || c.Reason != "no more of it" || !errors.Is(err, context.Canceled) {
					t.Errorf("%v does not say who asked", err)
				}
			})
		})
	}
}

// TestTheParentsHandlersEnd has an actor call its parent and die.
func TestTheParentsHandlersEnd(t *testing.T) {
	ended, begun := make(chan error, 1), make(chan struct{})
	var s portal.Server
	portal.Handle(&s, "hold", func(ctx context.Context, _ string) (string, error) {
		close(begun)
		<-ctx.Done()
		ended <- ctx.Err()
		return "", ctx.Err()
	})
	nursery(t, func(ctx context.Context, n *host.Nursery) error {
		a, p := start(t, ctx, n, spec("a"), &s)
		go portal.Call[string](context.WithoutCancel(ctx), p, "back", "hold")
		<-begun
		a.Child().Process().Signal(syscall.SIGKILL)
		select {
		case err := <-ended:
			if !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		case <-time.After(soon):
			t.Error("the handler's context has not ended")
		}
		return nil
	})
}

// TestTheEndOfAServersContext cancels what the parent serves, not its actor.
func TestTheEndOfAServersContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	left, right := channels(t)
	if _, err := portal.New(ctx, left, portal.Config{Name: "server", Serve: functions()}); err != nil {
		t.Fatal(err)
	}
	p, err := portal.New(t.Context(), right, portal.Config{})
	if err != nil {
		t.Fatal(err)
	}
	serve(t, left)
	serve(t, right)
	called := make(chan error)
	go func() {
		_, err := portal.Call[int](t.Context(), p, "wait", "x")
		called <- err
	}()
	portal.Call[int](t.Context(), p, "waiting", "x")
	cancel(&actor.Canceled{By: "the test"})
	var c *actor.Canceled
	if err := <-called; !errors.As(err, &c) || c.By != "the test" {
		t.Errorf("under way: %v", err)
	}
	_, err = portal.Call[point](t.Context(), p, "mirror", point{})
	var r *actor.RemoteError
	if !errors.As(err, &c) || c.By != "the test" || !errors.As(err, &r) || !cmp.Equal(r.Path, []string{"server"}) {
		t.Errorf("afterwards: %v", err)
	}
}
