//go:build unix

package keeper

import (
	"runtime"
	"sync"
	"time"
)

// crew counts the launchers and sees to it that one is always free.
//
// When the last free launcher takes up work, a timer starts. When it fires
// and none has come to rest since, all of them are stuck (each behind a child
// that does not get to its exec), and their number is doubled.
type crew struct {
	k *keeper

	mu    sync.Mutex
	size  int
	free  int
	rests uint64 // how often a launcher came to rest
	armed bool
}

const (
	// maxCrew is more than the host's window: requests that are not launches
	// find a launcher even if every launch is stuck.
	maxCrew   = window + 8
	stuckTime = 10 * time.Millisecond
)

// size of the crew at the start: one for each processor and one more, so that
// a request never waits for a launcher while a processor is idle.
func crewSize() int { return min(max(2, runtime.NumCPU()+1), 9) }

// recruit starts a launcher.
func (c *crew) recruit() error { return c.add(func(*launcher) error { return nil }) }

// reinforce starts a launcher in the middle of work. A Go program that cannot
// have a thread it needs is aborted, so the limit of processes is found by
// something that can fail.
func (c *crew) reinforce() error {
	return c.add(func(l *launcher) error { return l.thread.Probe() })
}

func (c *crew) add(check func(*launcher) error) error {
	l, err := newLauncher(c.k)
	if err != nil {
		return err
	}
	if err := check(l); err != nil {
		l.thread.Close()
		return err
	}
	c.mu.Lock()
	c.size++
	c.mu.Unlock()
	go l.run()
	return nil
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

// check recruits when nobody has rested since the timer was set.
func (c *crew) check(seen uint64) {
	c.mu.Lock()
	more := 0
	if c.free == 0 && c.rests == seen {
		more = min(c.size, maxCrew-c.size)
	}
	if c.free == 0 && c.size < maxCrew {
		seen := c.rests
		time.AfterFunc(stuckTime, func() { c.check(seen) })
	} else {
		c.armed = false
	}
	c.mu.Unlock()
	for range more {
		c.reinforce() // a failure is tried again when the timer fires next
	}
}
