package wire

import "github.com/hatchery-spawn/hatchery/internal/linux"

// A LaneState is what is under way on a plan lane.
type LaneState struct {
	Requests int // not answered; LaneWindow is how many there may be at once
	Children int // that the plugin has made itself and that have not ended

	// Unread is how many bytes the plugin has been sent and has not read,
	// Unheard how many it has sent and this process has not read, both as
	// the kernel counts them. They are -1 when it does not say.
	Unread, Unheard int
}

// LaneWindow is how many requests may be under way on a plan lane at once.
const LaneWindow = laneWindow

// TryState returns what is under way. It never waits: it reports false when
// somebody else is at it.
func (p *Planner) TryState() (s LaneState, ok bool) {
	s = LaneState{Unread: -1, Unheard: -1}
	select {
	case <-p.done:
	default: // the lane is closed later than that
		if out, in, err := linux.Queued(p.conn.Fd()); err == nil {
			s.Unread, s.Unheard = out, in
		}
	}
	if !p.mu.TryLock() {
		return s, false
	}
	defer p.mu.Unlock()
	s.Requests, s.Children = len(p.waiting), len(p.children)
	return s, true
}
