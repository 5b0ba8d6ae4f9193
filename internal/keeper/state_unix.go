//go:build unix

package keeper

import "github.com/hatchery-spawn/hatchery/internal/linux"

// TryState returns what is under way. It never waits: it reports false when
// somebody else is at it, and then only what can be known without a lock is
// there.
func (c *Client) TryState() (s State, ok bool) {
	s = State{Launches: len(c.window), Sending: len(c.turn) > 0, Unread: -1, Unheard: -1}
	select {
	case <-c.gone:
	default: // the lane is closed later than that
		if out, in, err := linux.Queued(c.conn.Fd()); err == nil {
			s.Unread, s.Unheard = out, in
		}
	}
	if !c.mu.TryLock() {
		return s, false
	}
	defer c.mu.Unlock()
	s.Requests, s.Children = len(c.calls), len(c.exits)
	return s, true
}
