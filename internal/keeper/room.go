//go:build unix

package keeper

import (
	"time"

	"github.com/hatchery-spawn/hatchery/internal/launch"
)

// probeTime bounds how long the crew waits until what has shown that there is
// room is reaped: on a busy machine that takes its time, and the reaper does not
// reap while the host does not read.
const probeTime = 2 * time.Second

// recruits returns n launchers that are parked, or as many as there is room for.
//
// A Go program that cannot have a thread it needs is aborted, so the limit of
// processes is found by what can fail: children that end at once, and are not
// reaped before there are as many as the threads will be. For as long as
// launchers come, none begins a launch. The room that is wanted is that of the
// launchers, of the threads that the runtime may have to start meanwhile, and of
// the children that are past the gate: two of each, if they have a process 1.
//
// The caller holds growing.
func (c *crew) recruits(n int) (fresh []*launcher) {
	c.mu.Lock()
	late := time.Since(c.refused) < refusedTime
	kept := spareThreads() + 2*c.size
	c.mu.Unlock()
	if late {
		return nil
	}
	for range n {
		if l, err := newLauncher(c.k); err == nil {
			fresh = append(fresh, l)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	room := max(0, c.k.table.room(fresh[0].thread, len(fresh)+kept)-kept)
	if room < len(fresh) {
		c.noteRefusal()
		for _, l := range fresh[room:] {
			l.thread.Close()
		}
		fresh = fresh[:room]
	}
	for _, l := range fresh {
		l.park()
	}
	if room > 0 {
		warmThreads(spareThreads())
	}
	return fresh
}

// room reports for how many of n processes there is room, all at once, and that
// they are gone again: otherwise there is none.
func (t *table) room(th *launch.Thread, n int) (made int) {
	t.mu.Lock() // the reaper reaps nobody
	gone := make(chan struct{})
	t.probes = probes{pids: map[int]bool{}, gone: gone}
	for made < n {
		pid, err := th.Probe()
		if err != nil {
			break
		}
		made++
		if pid != 0 {
			t.probes.pids[pid] = true
		}
	}
	if len(t.probes.pids) == 0 {
		close(gone)
	}
	t.born++
	t.changed.Broadcast()
	t.mu.Unlock()
	timer := time.NewTimer(probeTime)
	defer timer.Stop()
	select {
	case <-gone:
		return made
	case <-timer.C:
		return 0
	}
}

// probes are children that ended at once, and were made to see whether there is
// room for threads.
type probes struct {
	pids map[int]bool
	gone chan struct{} // closed when all are reaped
}

// reaped reports whether pid was one of them.
func (p *probes) reaped(pid int) bool {
	if !p.pids[pid] {
		return false
	}
	if delete(p.pids, pid); len(p.pids) == 0 {
		close(p.gone)
	}
	return true
}
