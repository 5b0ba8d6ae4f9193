package share_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hatchery-spawn/hatchery/host/share"
)

const idle = time.Minute

func TestIdleTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		cfg := s.config()
		cfg.Idle = idle
		p := share.New(cfg)
		release(t, must(t, p, "a"))
		for range 3 { // each user within the time begins it anew
			time.Sleep(idle - 1)
			l := must(t, p, "a")
			if !l.Hit() || l.Value().gen != 1 {
				t.Fatal("a user within the idle time did not find the resource")
			}
			release(t, l)
		}
		// While there is a user no time runs.
		l := must(t, p, "a")
		time.Sleep(10 * idle)
		s.counts("a", 1, 0)
		release(t, l)
		time.Sleep(idle - 1)
		synctest.Wait()
		s.counts("a", 1, 0)
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		s.counts("a", 1, 1)
		if l := must(t, p, "a"); l.Hit() {
			t.Error("after the idle time there was a hit")
		} else {
			release(t, l)
		}
		if err := p.Close(t.Context()); err != nil {
			t.Error(err)
		}
		s.counts("a", 2, 2)
	})
}

// Who comes while an idle resource is being closed waits, as for the last user.
func TestEnterWhileIdleIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		goOn := make(chan struct{})
		s.closing = func(string, *thing) error { <-goOn; return nil }
		cfg := s.config()
		cfg.Idle = idle
		p := share.New(cfg)
		release(t, must(t, p, "a"))
		time.Sleep(idle)
		synctest.Wait()
		next := acquire(t.Context(), p, "a")
		synctest.Wait()
		pending(t, next, "who enters while an idle resource is being closed")
		close(goOn)
		r := <-next
		if r.err != nil || r.l.Hit() || r.l.Value().gen != 2 {
			t.Errorf("got %v, %v", r.l, r.err)
		}
		release(t, r.l)
		p.Close(t.Context())
		s.counts("a", 2, 2)
	})
}

// A user who comes at the very moment that the idle time ends: with a timer
// that has gone off and is too late, the resource stays, and its next idle time
// is a whole one.
func TestUserAtTheEndOfIdleTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		cfg := s.config()
		cfg.Idle = idle
		p := share.New(cfg)
		for range 200 {
			release(t, must(t, p, "a"))
			time.Sleep(idle) // both wake up now
			l := must(t, p, "a")
			gen := l.Value().gen
			release(t, l)
			time.Sleep(idle - 1)
			synctest.Wait()
			if l := must(t, p, "a"); !l.Hit() || l.Value().gen != gen {
				t.Fatal("an idle time was cut short")
			} else {
				release(t, l)
			}
		}
		p.Close(t.Context())
	})
}

func TestErrorAfterIdleTimeGoesToCloseError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		s.closing = func(string, *thing) error { return errBroken }
		cfg := s.config()
		cfg.Idle = idle
		var p *share.Pool[string, *thing]
		told := 0
		cfg.CloseError = func(key string, err error) {
			told++
			if key != "a" || err != errBroken {
				t.Errorf("CloseError was told %s: %v", key, err)
			}
			if told == 1 {
				release(t, must(t, p, key)) // the key is free already
			}
		}
		p = share.New(cfg)
		release(t, must(t, p, "a"))
		time.Sleep(3 * idle)
		synctest.Wait()
		s.counts("a", 2, 2)
		if err := p.Close(t.Context()); err != nil {
			t.Errorf("Close repeated what CloseError was told: %v", err)
		}
		if told != 2 {
			t.Errorf("CloseError was called %d times, want 2", told)
		}
	})
}

// Close returns after the last call of CloseError.
func TestCloseWaitsForCloseError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		s.closing = func(string, *thing) error { return errBroken }
		cfg := s.config()
		cfg.Idle = idle
		goOn := make(chan struct{})
		cfg.CloseError = func(string, error) { <-goOn }
		p := share.New(cfg)
		release(t, must(t, p, "a"))
		time.Sleep(idle)
		synctest.Wait()
		closed := make(chan error, 1)
		go func() { closed <- p.Close(t.Context()) }()
		synctest.Wait()
		pending(t, closed, "Close while CloseError runs")
		close(goOn)
		if err := <-closed; err != nil {
			t.Error(err)
		}
	})
}

func TestErrorAfterIdleTimeGoesToClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		s.closing = func(key string, v *thing) error { return fmt.Errorf("%s%d: %w", key, v.gen, errBroken) }
		cfg := s.config()
		cfg.Idle = idle
		p := share.New(cfg)
		for range 3 {
			release(t, must(t, p, "a"))
			time.Sleep(idle)
			synctest.Wait()
		}
		release(t, must(t, p, "b"))
		for range 2 { // every Close returns the same
			err := p.Close(t.Context())
			want := "share: closing of a: a1: broken\nshare: closing of b: b1: broken"
			if err == nil || err.Error() != want || !errors.Is(err, errBroken) {
				t.Errorf("Close: %v\nwant: %s", err, want)
			}
		}
	})
}
