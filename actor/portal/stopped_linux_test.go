package portal_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/actor/parent"
	"github.com/hatchery-spawn/hatchery/actor/portal"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// freeze stops an actor's process and waits until it stands still.
func freeze(t testing.TB, a *parent.Actor) {
	t.Helper()
	p := a.Child().Process()
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(soon); ; <-tick.C {
		if s, err := linux.ReadStat(p.Pid()); err != nil || s.State == 'T' {
			return
		} else if time.Now().After(end) {
			t.Fatalf("process %d is %c", p.Pid(), s.State)
		}
	}
}

// TestAStoppedPeer holds that every wait for a peer that does nothing ends with
// the caller's context, and that nothing is broken by it.
func TestAStoppedPeer(t *testing.T) {
	with(t, nil, func(ctx context.Context, a *parent.Actor, p *portal.Portal) {
		talk, err := portal.OpenStream[string, string](ctx, p, "echo")
		if err != nil {
			t.Fatal(err)
		}
		freeze(t, a)
		waits := map[string]func(context.Context) error{
			"a call": func(ctx context.Context) error {
				_, err := portal.Call[point](ctx, p, "mirror", point{})
				return err
			},
			"a long call": func(ctx context.Context) error {
				_, err := portal.Call[int](ctx, p, "length", make([]byte, 1<<20))
				return err
			},
			"a sequence": func(ctx context.Context) error {
				for _, err := range portal.Seq[int](ctx, p, "count", 10) {
					return err
				}
				return nil
			},
			"a conversation": func(ctx context.Context) error {
				s, err := portal.OpenStream[string, string](ctx, p, "echo")
				for err == nil {
					err = s.Send(strings.Repeat("x", 32<<10))
				}
				if s != nil {
					_, err = s.Recv()
				}
				return err
			},
		}
		bounded(t, ctx, waits)
		a.Child().Process().Signal(syscall.SIGCONT)
		if got, err := portal.Call[point](ctx, p, "mirror", point{1, 2}); err != nil || got.X != 2 {
			t.Errorf("afterwards: %v, %v", got, err)
		}
		for i := range 3 {
			want := fmt.Sprint("word ", i)
			if err := talk.Send(want); err != nil {
				t.Fatal(err)
			}
			if got, err := talk.Recv(); err != nil || got != want {
				t.Errorf("the conversation goes on with %q, %v", got, err)
			}
		}
		talk.Close()
	})
}

// bounded has each of waits often at the same time, and wants all to end with their
// context.
func bounded(t *testing.T, ctx context.Context, waits map[string]func(context.Context) error) {
	ctx, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	begin := time.Now()
	var wg sync.WaitGroup
	for name, wait := range waits {
		for range 20 {
			wg.Go(func() {
				if err := wait(ctx); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, portal.ErrGone) {
					t.Errorf("%s: %v: want the end of the context", name, err)
				}
			})
		}
	}
	wg.Wait()
	if took := time.Since(begin); took > soon {
		t.Errorf("the waits ended after %v", took)
	}
}

// TestAPeerStoppedFromTheStart holds the same of the first calls, which have to
// make the connection.
func TestAPeerStoppedFromTheStart(t *testing.T) {
	with(t, nil, func(ctx context.Context, a *parent.Actor, p *portal.Portal) {
		freeze(t, a)
		bounded(t, ctx, map[string]func(context.Context) error{
			"a first call": func(ctx context.Context) error { _, err := portal.Call[point](ctx, p, "mirror", point{}); return err },
		})
		a.Child().Process().Signal(syscall.SIGCONT)
		if got, err := portal.Call[point](ctx, p, "mirror", point{1, 2}); err != nil || got.X != 2 {
			t.Errorf("afterwards: %v, %v", got, err)
		}
	})
}

// TestAStoppedPeerIsKilled ends all that waits, without a bound of its own.
func TestAStoppedPeerIsKilled(t *testing.T) {
	ending(t, func(ctx context.Context, _ *host.Nursery, a *parent.Actor, p *portal.Portal) {
		if _, err := portal.Call[point](ctx, p, "mirror", point{}); err != nil {
			t.Fatal(err)
		}
		freeze(t, a)
		var wg sync.WaitGroup
		var written sync.WaitGroup
		for range 50 {
			written.Add(1)
			wg.Go(func() {
				s, err := portal.OpenStream[string, string](ctx, p, "echo")
				if err == nil {
					s.Send("x")
				}
				written.Done()
				for err == nil {
					err = s.Send(strings.Repeat("x", 32<<10))
				}
				if s != nil {
					_, err = s.Recv()
				}
				var exit *spawn.ExitError
				if !errors.Is(err, portal.ErrGone) || !errors.As(err, &exit) || exit.Signal != syscall.SIGKILL {
					t.Errorf("%v: want how it ended", err)
				}
			})
		}
		written.Wait()
		a.Child().Process().Signal(syscall.SIGKILL)
		wg.Wait()
	})
}
