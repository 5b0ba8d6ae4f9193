package share_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hatchery-spawn/hatchery/host/share"
)

func TestCloseOfAnEmptyPool(t *testing.T) {
	s := newShop(t)
	p := share.New(s.config())
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // there is nothing to wait for
	for range 2 {
		if err := p.Close(ctx); err != nil {
			t.Error(err)
		}
	}
	if _, err := p.Acquire(t.Context(), "a"); !errors.Is(err, share.ErrClosed) {
		t.Errorf("Acquire after Close: %v", err)
	}
	s.counts("a", 0, 0)
}

func TestCloseEndsIdleAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		cfg := s.config()
		cfg.Idle = idle
		cfg.CloseError = func(string, error) { t.Error("what Close asked for was told to CloseError") }
		s.closing = func(key string, _ *thing) error {
			time.Sleep(time.Second)
			if key == "b" {
				return errBroken
			}
			return nil
		}
		p := share.New(cfg)
		for _, key := range []string{"a", "b", "c"} {
			release(t, must(t, p, key))
		}
		begin := time.Now()
		if err := p.Close(t.Context()); err == nil || err.Error() != "share: closing of b: broken" {
			t.Errorf("Close: %v", err)
		}
		if d := time.Since(begin); d != time.Second {
			t.Errorf("three that take a second each took %v: want them closed at the same time", d)
		}
		for _, key := range []string{"a", "b", "c"} {
			s.counts(key, 1, 1)
		}
	})
}

func TestCloseWaitsForUsers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		s.closing = func(key string, _ *thing) error { return errBroken }
		cfg := s.config()
		cfg.Idle = idle
		p := share.New(cfg)
		a, a2, b := must(t, p, "a"), must(t, p, "a"), must(t, p, "b")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		err := p.Close(ctx)
		if d := time.Since(begin); d != time.Second {
			t.Errorf("Close took %v of one second", d)
		}
		if !errors.Is(err, context.DeadlineExceeded) || err.Error() != "share: not closed: a (users: 2), b (users: 1): context deadline exceeded" {
			t.Errorf("Close whose time was over: %v", err)
		}
		if _, err := p.Acquire(t.Context(), "a"); !errors.Is(err, share.ErrClosed) {
			t.Errorf("Acquire while Close waits: %v", err)
		}
		if a.Value().gen != 1 {
			t.Error("Close took a resource away")
		}
		release(t, a)
		closed := make(chan error, 1)
		go func() { closed <- p.Close(t.Context()) }()
		synctest.Wait()
		pending(t, closed, "Close with users")
		// There is no idle time any more, and the error is the last user's.
		if err := a2.Release(); err != errBroken {
			t.Errorf("the last user got %v", err)
		}
		s.counts("a", 1, 1)
		synctest.Wait()
		pending(t, closed, "Close with a user")
		b.Release()
		if err := <-closed; err != nil {
			t.Errorf("Close got another's error: %v", err)
		}
	})
}

func TestCloseGivesOpeningsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		s.opening = func(ctx context.Context, _ string) error {
			<-ctx.Done()
			if context.Cause(ctx) != share.ErrClosed {
				t.Errorf("the opening ended because of %v", context.Cause(ctx))
			}
			return ctx.Err()
		}
		p := share.New(s.config())
		c := acquire(t.Context(), p, "a")
		synctest.Wait()
		if err := p.Close(t.Context()); err != nil {
			t.Error(err)
		}
		r := <-c
		if !errors.Is(r.err, share.ErrClosed) || r.err.Error() != "share: pool closed: context canceled" {
			t.Errorf("the opener got %v", r.err)
		}
	})
}

// An opening that does not listen is waited for, and its resource closed; who
// waits for it does not have to.
func TestCloseDuringStubbornOpening(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		goOn := make(chan struct{})
		s.opening = func(context.Context, string) error { <-goOn; return nil }
		s.closing = func(string, *thing) error { return errBroken }
		p := share.New(s.config())
		opener := acquire(t.Context(), p, "a")
		synctest.Wait()
		waiting := acquire(t.Context(), p, "a")
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		closed := make(chan error, 1)
		go func() { closed <- p.Close(ctx) }()
		if r := <-waiting; r.err != share.ErrClosed {
			t.Errorf("who waited for the opening got %v", r.err)
		}
		synctest.Wait()
		pending(t, closed, "Close during an opening")
		cancel()
		if err := <-closed; !errors.Is(err, context.Canceled) || err.Error() != "share: not closed: a (opening): context canceled" {
			t.Errorf("Close: %v", err)
		}
		close(goOn)
		r := <-opener
		if !errors.Is(r.err, share.ErrClosed) || !errors.Is(r.err, errBroken) || r.l != nil {
			t.Errorf("the opener got %v, %v", r.l, r.err)
		}
		if err := p.Close(t.Context()); err != nil {
			t.Error(err)
		}
		s.counts("a", 1, 1)
	})
}

// A slowContext does something before it is listened to.
type slowContext struct {
	context.Context
	before func()
}

func (c slowContext) Done() <-chan struct{} {
	c.before()
	return c.Context.Done()
}

// Close comes when a caller is about to open, and has not begun.
func TestCloseBeforeOpening(t *testing.T) {
	s := newShop(t)
	p := share.New(s.config())
	over, cancel := context.WithCancel(t.Context())
	cancel()
	closeOnce := sync.OnceFunc(func() {
		if err := p.Close(over); !errors.Is(err, context.Canceled) {
			t.Errorf("Close did not wait for who is about to open: %v", err)
		}
	})
	if _, err := p.Acquire(slowContext{t.Context(), closeOnce}, "a"); err != share.ErrClosed {
		t.Errorf("Acquire: %v", err)
	}
	s.counts("a", 0, 0)
	if err := p.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
