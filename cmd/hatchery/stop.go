package main

import "time"

// stop stops this process, because the terminal or somebody else says so. A
// child in the same group has heard it as well and may take its time, or not
// stop at all: that is its affair, and this process does as it does.
func (c *child) stop() {
	switch {
	case c.tty != nil: // it sees to that, and its child goes on
	case sharesGroup(c.process.Pid()):
		c.stopping = &stopping{until: time.Now().Add(stopPatience), pause: time.Millisecond}
	case c.job.kept != nil:
		// The kernel spares it: nobody could continue its group.
		c.process.Signal(halt)
		stopSelf()
		c.process.Signal(wake)
	default:
		stopSelf()
	}
}

// stopPatience is how long a child has to stop before it is taken for one that
// will not.
const stopPatience = 2 * time.Second

// stopping is the wait for a child to stop, of which there is no event. A nil
// one is none.
type stopping struct {
	until time.Time
	pause time.Duration
}

// next tells when to look.
func (s *stopping) next() <-chan time.Time {
	if s == nil {
		return nil
	}
	return time.After(s.pause)
}

// look stops this process if the child is stopped, and returns what remains to
// be waited for.
func (s *stopping) look(pid int) *stopping {
	switch {
	case isStopped(pid):
		stopSelf()
		return nil
	case time.Now().After(s.until):
		return nil
	}
	return &stopping{s.until, min(2*s.pause, 50*time.Millisecond)}
}
