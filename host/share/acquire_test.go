package share_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/hatchery-spawn/hatchery/host/share"
)

func TestTenCallersOpenOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		goOn := make(chan struct{})
		s.opening = func(context.Context, string) error { <-goOn; return nil }
		p := share.New(s.config())
		var callers []<-chan result
		for range 10 {
			callers = append(callers, acquire(t.Context(), p, "a"))
		}
		synctest.Wait() // one opens, nine wait
		for _, c := range callers {
			pending(t, c, "a caller of a resource that is being opened")
		}
		close(goOn)
		misses := 0
		var leases []*lease
		for _, c := range callers {
			r := <-c
			if r.err != nil {
				t.Fatal(r.err)
			}
			if !r.l.Hit() {
				misses++
			}
			if r.l.Value() != s.alive["a"] || r.l.Key() != "a" {
				t.Errorf("a caller got %v of %s", r.l.Value(), r.l.Key())
			}
			leases = append(leases, r.l)
		}
		if misses != 1 {
			t.Errorf("%d misses, want 1 and 9 hits", misses)
		}
		s.counts("a", 1, 0)
		for _, l := range leases {
			s.counts("a", 1, 0)
			release(t, l)
		}
		s.counts("a", 1, 1)
	})
}

func TestOtherKeysAreUndisturbed(t *testing.T) {
	s := newShop(t)
	p := share.New(s.config())
	a := must(t, p, "a")
	for gen := 1; gen <= 3; gen++ {
		b := must(t, p, "b")
		if b.Hit() || b.Value().gen != gen {
			t.Errorf("b is generation %d, hit %v; want %d and a miss", b.Value().gen, b.Hit(), gen)
		}
		release(t, b)
	}
	s.counts("b", 3, 3)
	s.counts("a", 1, 0)
	again := must(t, p, "a")
	if !again.Hit() || again.Value() != a.Value() {
		t.Error("a was not the same while b came and went")
	}
	release(t, again)
	release(t, a)
	s.counts("a", 1, 1)
}

// A key in the middle of opening or closing holds no other key up.
func TestBusyKeysDoNotBlockOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		goOn := make(chan struct{})
		s.opening = func(_ context.Context, key string) error {
			if key == "slow" {
				<-goOn
			}
			return nil
		}
		p := share.New(s.config())
		slow := acquire(t.Context(), p, "slow")
		synctest.Wait()
		release(t, must(t, p, "b"))
		close(goOn)
		release(t, (<-slow).l)
	})
}

func TestFailedOpening(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		answers := make(chan error)
		s.opening = func(context.Context, string) error { return <-answers }
		p := share.New(s.config())
		first := acquire(t.Context(), p, "a")
		synctest.Wait()
		second := acquire(t.Context(), p, "a")
		synctest.Wait()
		answers <- errBroken
		if r := <-first; r.err != errBroken || r.l != nil {
			t.Errorf("the caller whose opening failed got %v, %v", r.l, r.err)
		}
		synctest.Wait()
		pending(t, second, "the next caller")
		answers <- nil
		r := <-second
		if r.err != nil || r.l.Hit() {
			t.Fatalf("the next caller did not open anew: %v", r.err)
		}
		release(t, r.l)
		s.counts("a", 1, 1) // what failed is not closed
	})
}

func TestOpenerGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		goOn := make(chan struct{})
		s.opening = func(ctx context.Context, _ string) error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-goOn:
				return nil
			}
		}
		p := share.New(s.config())
		ctx, cancel := context.WithCancel(t.Context())
		first := acquire(ctx, p, "a")
		synctest.Wait()
		second, third := acquire(t.Context(), p, "a"), acquire(t.Context(), p, "a")
		synctest.Wait()
		cancel()
		if r := <-first; r.err != context.Canceled {
			t.Errorf("who gave up got %v", r.err)
		}
		synctest.Wait()
		pending(t, second, "the second")
		pending(t, third, "the third")
		close(goOn)
		r2, r3 := <-second, <-third
		if r2.err != nil || r3.err != nil {
			t.Fatalf("another's cancellation failed them: %v, %v", r2.err, r3.err)
		}
		if r2.l.Hit() == r3.l.Hit() || r2.l.Value() != r3.l.Value() {
			t.Error("the waiting two did not open one anew")
		}
		release(t, r2.l)
		release(t, r3.l)
		s.counts("a", 1, 1)
	})
}

type contextKey struct{}

// The context of an opening has the caller's values, and ends with it.
func TestContextOfOpening(t *testing.T) {
	var seen context.Context
	p := share.New(share.Config[string, int]{Open: func(ctx context.Context, _ string) (int, error) {
		seen = ctx
		return 0, ctx.Err()
	}})
	l, err := p.Acquire(context.WithValue(t.Context(), contextKey{}, "mine"), "a")
	if err != nil {
		t.Fatal(err)
	}
	if seen.Value(contextKey{}) != "mine" {
		t.Error("Open did not get the caller's context")
	}
	if seen.Err() == nil {
		t.Error("a resource could live on the context of its opening")
	}
	if err := l.Release(); err != nil { // without Close there is nothing to fail
		t.Error(err)
	}
}

func TestCanceledWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		goOn := make(chan struct{})
		s.opening = func(context.Context, string) error { <-goOn; return nil }
		s.closing = func(string, *thing) error { <-goOn; return nil }
		p := share.New(s.config())
		wait := func(doing string) {
			t.Helper()
			ctx, cancel := context.WithCancel(t.Context())
			c := acquire(ctx, p, "a")
			synctest.Wait()
			pending(t, c, "who waits for the "+doing)
			cancel()
			r := <-c // and the opening, or closing, goes on
			if !errors.Is(r.err, context.Canceled) || r.err.Error() != "share: waiting for the "+doing+" of a: context canceled" {
				t.Errorf("%s: got %v", doing, r.err)
			}
		}
		first := acquire(t.Context(), p, "a")
		synctest.Wait()
		wait("opening")
		goOn <- struct{}{}
		r := <-first
		released := make(chan error, 1)
		go func() { released <- r.l.Release() }()
		synctest.Wait()
		wait("closing")
		goOn <- struct{}{}
		if err := <-released; err != nil {
			t.Error(err)
		}
		s.counts("a", 1, 1)
	})
}

// Who comes with a context that is done gets nothing, hit or miss.
func TestCanceledBefore(t *testing.T) {
	s := newShop(t)
	p := share.New(s.config())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 2 {
		if _, err := p.Acquire(ctx, "a"); err != context.Canceled {
			t.Errorf("got %v", err)
		}
		defer must(t, p, "a").Release()
	}
	s.counts("a", 1, 0)
}

func TestUnhashableKeyHoldsNoLock(t *testing.T) {
	p := share.New(share.Config[any, int]{Open: func(context.Context, any) (int, error) { return 1, nil }})
	if text := panics(func() { p.Acquire(t.Context(), []int{1}) }); text == "" {
		t.Error("a slice was taken as a key")
	}
	l, err := p.Acquire(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	l.Release()
}

func TestNewNeedsOpen(t *testing.T) {
	if text := panics(func() { share.New(share.Config[int, int]{}) }); text != "share: Config.Open is nil" {
		t.Errorf("New without Open: %q", text)
	}
}
