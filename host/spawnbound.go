package host

import (
	"context"
	"sync"
	"time"
)

// A spawnBound is the context of one spawn: the caller's, bounded by
// Timeouts.Spawn and by Close. It is made of timers and goroutines' wake-ups only
// when somebody is to wait for its end. Most spawns are over before anybody does,
// and a timer that is set and stopped again costs more than all else that the host
// does for one of them.
type spawnBound struct {
	context.Context // the caller's
	host            *Host
	deadline        time.Time

	mu   sync.Mutex
	over bool            // cancel was called
	real context.Context // what it is once somebody waits; nil before
	end  func()          // of real
}

// spawnContext bounds ctx by Timeouts.Spawn and by Close.
func (h *Host) spawnContext(ctx context.Context) (context.Context, context.CancelFunc) {
	s := &spawnBound{Context: ctx, host: h, deadline: time.Now().Add(h.limits.Spawn)}
	if d, ok := ctx.Deadline(); ok && d.Before(s.deadline) {
		s.deadline = d
	}
	return s, s.cancel
}

func (s *spawnBound) Deadline() (time.Time, bool) { return s.deadline, true }

func (s *spawnBound) Done() <-chan struct{} { return s.made().Done() }

func (s *spawnBound) Err() error {
	if s.unmade() && s.Context.Err() == nil && s.host.life.Err() == nil && time.Now().Before(s.deadline) {
		return nil
	}
	return s.made().Err()
}

// Value asks the real one, too, which knows why it ended. It is what package
// context knows its own contexts by: one that is derived from this is entered in
// the real one, without a goroutine that waits for Done.
func (s *spawnBound) Value(key any) any {
	if s.unmade() {
		return s.Context.Value(key)
	}
	return s.made().Value(key)
}

// unmade reports whether it may have no end yet that anybody has seen.
func (s *spawnBound) unmade() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.real == nil && !s.over
}

// made returns the real context, which it makes at the first call.
func (s *spawnBound) made() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.real != nil {
		return s.real
	}
	real, cancel := context.WithDeadline(s.Context, s.deadline)
	stop := context.AfterFunc(s.host.life, cancel)
	s.real, s.end = real, func() { stop(); cancel() }
	if s.over || s.host.life.Err() != nil {
		s.end() // now, not soon
	}
	return s.real
}

// cancel ends it. Seldom does anybody ask afterwards.
func (s *spawnBound) cancel() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	if s.end != nil {
		s.end()
	}
}
