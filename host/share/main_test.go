package share_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/hatchery-spawn/hatchery/host/share"
	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
)

func TestMain(m *testing.M) { os.Exit(leakcheck.Main(m)) }

// A shop opens resources and closes them, and holds that a key has one
// generation at a time. What its hooks do is part of opening and closing.
type shop struct {
	t       *testing.T
	opening func(ctx context.Context, key string) error
	closing func(key string, v *thing) error

	mu     sync.Mutex
	alive  map[string]*thing
	opens  map[string]int
	closes map[string]int
}

// A thing is what a shop opens.
type thing struct {
	key string
	gen int // counted from one, per key
}

func newShop(t *testing.T) *shop {
	return &shop{t: t, alive: map[string]*thing{}, opens: map[string]int{}, closes: map[string]int{}}
}

func (s *shop) config() share.Config[string, *thing] {
	return share.Config[string, *thing]{Open: s.open, Close: s.close}
}

func (s *shop) open(ctx context.Context, key string) (*thing, error) {
	s.mu.Lock()
	v := &thing{key: key, gen: s.opens[key] + 1}
	if other := s.alive[key]; other != nil {
		s.t.Errorf("%s: opened while generation %d is there", key, other.gen)
	}
	s.alive[key] = v
	s.mu.Unlock()
	opened := false
	defer func() { // a failed opening, or one that panicked, leaves nothing
		s.mu.Lock()
		defer s.mu.Unlock()
		if opened {
			s.opens[key]++
		} else {
			delete(s.alive, key)
		}
	}()
	if s.opening != nil {
		if err := s.opening(ctx, key); err != nil {
			return nil, err
		}
	}
	opened = true
	return v, nil
}

func (s *shop) close(key string, v *thing) error {
	s.mu.Lock()
	if s.alive[key] != v || v.key != key {
		s.t.Errorf("%s: generation %d is closed and %v is there", key, v.gen, s.alive[key])
	}
	s.closes[key]++
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.alive, key)
	}()
	if s.closing != nil {
		return s.closing(key, v)
	}
	return nil
}

// counts holds how often key was opened and closed.
func (s *shop) counts(key string, opens, closes int) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.opens[key] != opens || s.closes[key] != closes {
		s.t.Errorf("%s was opened %d and closed %d times, want %d and %d", key, s.opens[key], s.closes[key], opens, closes)
	}
}

type lease = share.Lease[string, *thing]

// must returns a lease that has to be had.
func must(t *testing.T, p *share.Pool[string, *thing], key string) *lease {
	t.Helper()
	l, err := p.Acquire(t.Context(), key)
	if err != nil {
		t.Fatalf("Acquire(%s): %v", key, err)
	}
	return l
}

func release(t *testing.T, l *lease) {
	t.Helper()
	if err := l.Release(); err != nil {
		t.Errorf("Release of %s: %v", l.Key(), err)
	}
}

// panics returns what f panics with, or "".
func panics(f func()) (text string) {
	defer func() {
		if r := recover(); r != nil {
			text = fmt.Sprint(r)
		}
	}()
	f()
	return ""
}

// A result is what an Acquire in another goroutine returned.
type result struct {
	l   *lease
	err error
}

// acquire calls Acquire in a goroutine.
func acquire(ctx context.Context, p *share.Pool[string, *thing], key string) <-chan result {
	c := make(chan result, 1)
	go func() {
		l, err := p.Acquire(ctx, key)
		c <- result{l, err}
	}()
	return c
}

// pending holds that nothing has arrived on c.
func pending[T any](t *testing.T, c <-chan T, what string) {
	t.Helper()
	select {
	case v := <-c:
		t.Fatalf("%s: did not wait: %v", what, v)
	default:
	}
}

var errBroken = errors.New("broken")
