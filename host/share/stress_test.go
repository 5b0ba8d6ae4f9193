package share_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host/share"
)

// TestStress lets many users come and go at random, with openings and closings
// that fail, take their time, or panic, callers who give up, and idle times as
// short as a visit. The shop holds that no two generations of a key overlap.
func TestStress(t *testing.T) {
	for name, idle := range map[string]time.Duration{"no idle time": 0, "idle time": time.Nanosecond} {
		t.Run(name, func(t *testing.T) { stress(t, idle) })
	}
}

func stress(t *testing.T, idle time.Duration) {
	const users, visits = 16, 200
	s := newShop(t)
	s.opening = func(ctx context.Context, _ string) error {
		yields()
		switch rand.IntN(20) {
		case 0:
			return errBroken
		case 1:
			panic(errBroken)
		}
		return ctx.Err()
	}
	s.closing = func(string, *thing) error {
		yields()
		switch n := rand.IntN(20); {
		case n == 0:
			return errBroken
		case n == 1 && idle == 0: // else nobody is there to catch it
			panic(errBroken)
		}
		return nil
	}
	cfg := s.config()
	cfg.Idle = idle
	cfg.CloseError = func(_ string, err error) {
		if err != errBroken {
			t.Errorf("CloseError was told %v", err)
		}
	}
	p := share.New(cfg)
	var tally tally
	var wg sync.WaitGroup
	for range users {
		wg.Go(func() {
			for range visits {
				visit(t, s, p, &tally)
			}
		})
	}
	wg.Wait()
	if err := p.Close(t.Context()); err != nil && !errors.Is(err, errBroken) {
		t.Error(err)
	}
	opens, closes := 0, 0
	for key := range s.opens {
		s.counts(key, s.opens[key], s.opens[key])
		opens, closes = opens+s.opens[key], closes+s.closes[key]
	}
	if len(s.alive) != 0 {
		t.Errorf("left open: %v", s.alive)
	}
	if tally.hits.Load() == 0 || tally.misses.Load() == 0 || tally.failures.Load() == 0 {
		t.Error("something did not happen at all")
	}
	if int(tally.misses.Load()) != opens {
		t.Errorf("%d misses and %d openings", tally.misses.Load(), opens)
	}
	t.Logf("%d hits, %d misses, %d failures; opened %d, closed %d", tally.hits.Load(), tally.misses.Load(), tally.failures.Load(), opens, closes)
}

type tally struct{ hits, misses, failures atomic.Int64 }

// visit acquires a key, looks at what it got, and releases it, or tries to.
func visit(t *testing.T, s *shop, p *share.Pool[string, *thing], n *tally) {
	defer func() {
		if r := recover(); r != nil && r != any(errBroken) {
			t.Errorf("panic: %v", r)
		}
	}()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if rand.IntN(4) == 0 {
		go func() { yields(); cancel() }()
	}
	key := string(rune('a' + rand.IntN(3)))
	l, err := p.Acquire(ctx, key)
	if err != nil {
		n.failures.Add(1)
		if err != errBroken && !errors.Is(err, context.Canceled) {
			t.Errorf("Acquire: %v", err)
		}
		return
	}
	if l.Hit() {
		n.hits.Add(1)
	} else {
		n.misses.Add(1)
	}
	yields()
	s.mu.Lock()
	if v := l.Value(); s.alive[key] != v || s.closes[key] >= v.gen {
		t.Errorf("%s: generation %d is in use and not there", key, v.gen)
	}
	s.mu.Unlock()
	if err := l.Release(); err != nil && err != errBroken {
		t.Errorf("Release: %v", err)
	}
}

// yields lets others run, some times.
func yields() {
	for range rand.IntN(8) {
		runtime.Gosched()
	}
}
