//go:build unix

package keeper

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// crew counts the launchers and sees to it that one is always free.
//
// When the last free launcher takes up work, a timer starts. When it fires
// and none has come to rest since, all of them are stuck (each behind a child
// that does not get to its exec), and their number is doubled.
//
// Where the machine has no room for more, a launcher that was kept in reserve
// comes to help. From then on, until there is room, the last one that is free
// refuses launches: somebody must hear of aborts, which are what makes room.
type crew struct {
	k *keeper

	growing sync.RWMutex // held while launchers come in the middle of work
	mu      sync.Mutex
	size    int
	free    int
	rests   uint64 // how often a launcher came to rest
	armed   bool
	reserve *launcher // parked
	refused time.Time // when the kernel last refused a process

	pressed atomic.Bool // there is no reserve, and no room for one
}

const (
	// maxCrew is more than the host's window: requests that are not launches
	// find a launcher even if every launch is stuck.
	maxCrew   = window + 8
	stuckTime = 10 * time.Millisecond
	// prepareTime is when a keeper prepares: not while the first launches
	// want the processors, and never in a host that starts one short child.
	prepareTime = 50 * time.Millisecond
	// refusedTime is how long after a refusal the kernel is not asked for
	// threads, of which it must not refuse any.
	refusedTime = time.Second
)

// size of the crew at the start: one for each processor and one more, so that
// a request never waits for a launcher while a processor is idle.
func crewSize() int { return min(max(2, runtime.NumCPU()+1), 9) }

// recruit starts a launcher.
func (c *crew) recruit() error {
	l, err := newLauncher(c.k)
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.size++
	c.mu.Unlock()
	go l.run()
	return nil
}

// prepare gets what must be there before there is no more room: the reserve,
// and threads for the runtime.
func (c *crew) prepare() {
	if l, err := newLauncher(c.k); err == nil {
		l.park()
		c.mu.Lock()
		c.reserve = l
		c.mu.Unlock()
	}
	warmThreads(spareThreads())
}

// reinforce starts n launchers in the middle of work, or as many as there is
// room for. It reports whether there was room for any, the first of whom becomes
// the reserve if there is none.
func (c *crew) reinforce(n int) bool {
	c.growing.Lock()
	fresh := c.recruits(n)
	c.growing.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	room := len(fresh) > 0
	switch {
	case room && c.reserve == nil:
		c.reserve, fresh = fresh[0], fresh[1:]
	case !room && c.reserve != nil && c.free == 0:
		fresh, c.reserve = append(fresh, c.reserve), nil
	}
	c.pressed.Store(c.reserve == nil)
	c.size += len(fresh)
	for _, l := range fresh { // not before all threads are there: each takes more room
		close(l.begin)
	}
	return room
}

// noteRefusal notes that the kernel has refused a process.
func (c *crew) noteRefusal() {
	c.mu.Lock()
	c.refused = time.Now()
	c.mu.Unlock()
}

// mayLaunch reports whether a launcher at work may do what it can get stuck in. It
// waits while launchers come, whose threads need the room that there is.
func (c *crew) mayLaunch() bool {
	if c.pressed.Load() && !c.others() && !c.reinforce(1) {
		return false
	}
	c.growing.RLock()
	defer c.growing.RUnlock()
	return true
}

// others reports whether a launcher is free.
func (c *crew) others() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.free > 0
}

// rest notes that a launcher is about to wait for work.
func (c *crew) rest() {
	c.mu.Lock()
	c.free++
	c.rests++
	c.mu.Unlock()
}

// work notes that a launcher has work.
func (c *crew) work() {
	c.mu.Lock()
	c.free--
	if c.free == 0 && !c.armed && c.size < maxCrew {
		c.armed = true
		seen := c.rests
		time.AfterFunc(stuckTime, func() { c.check(seen) })
	}
	c.mu.Unlock()
}

// check reinforces when nobody has rested since the timer was set. What fails
// is tried again when the timer fires next.
func (c *crew) check(seen uint64) {
	c.mu.Lock()
	more := 0
	if c.free == 0 && c.rests == seen {
		more = min(c.size, maxCrew-c.size)
	}
	c.mu.Unlock()
	select {
	case <-c.k.hungUp: // nothing more will come
		return
	default:
	}
	if more > 0 {
		c.reinforce(more)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.armed = c.free == 0 && c.size < maxCrew; c.armed {
		seen := c.rests
		time.AfterFunc(stuckTime, func() { c.check(seen) })
	}
}
