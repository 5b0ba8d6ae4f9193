//go:build unix

package keeper

import (
	"sync"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/launch"
	"github.com/hatchery-spawn/hatchery/internal/linux"
)

// A child is a process the keeper made. It is in the table from its birth to
// the moment it is reaped; while it is there its pid is its own.
type child struct {
	noted   noted // where it is in the record
	id      uint64
	pid     int
	failed  bool        // it never became the program: nobody is told of its end
	parked  *parking    // while it waits for what it is to become
	kin     []kin       // that were below it when it was asked to end
	record  int         // where its process 1 tells how the program ends, or 0
	held    []int       // namespaces to let go of when the host knows of its end
	told    *linux.Bell // rung when the host knows of its end; nil when nobody waits for that
	upkeep  *upkeep
	standby *standby // it is not the host's yet, but to be handed over
}

// table has every living child and every launch under way.
type table struct {
	mu       sync.Mutex
	changed  sync.Cond // a launch ended
	notes    notes
	byID     map[uint64]*child
	byPid    map[int]*child
	launches map[uint64]*launcher
	born     uint64          // launches that have ended
	aborted  map[uint64]bool // given up before their launch began
	closed   bool            // everything is being ended: nothing more is launched
	free     bool            // the host will not launch any more: see dismiss
	probes   probes
	pool     pool
	makers   map[*launch.Thread]time.Duration // that park a child, and since when

	left     map[uint64]*left // by the id of the child that left it
	byNumber map[int]*left    // by the number of the group that is it
	orphans  uint64           // adopted children that have been reaped
	clearing int              // requests to end what is left, not yet answered
}

func newTable() *table {
	t := &table{byID: map[uint64]*child{}, byPid: map[int]*child{}, launches: map[uint64]*launcher{}, aborted: map[uint64]bool{}, left: map[uint64]*left{}, byNumber: map[int]*left{}, makers: map[*launch.Thread]time.Duration{}}
	t.changed.L = &t.mu
	return t
}

// begin notes that l is about to launch the child id. It reports whether it
// may: the id is new, and the table is open. What was parked for it, if anything, is
// ready then if it is still there, or else ended.
func (t *table) begin(id uint64, l *launcher, parked *child) (ready, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	given := t.aborted[id]
	delete(t.aborted, id)
	if given || t.closed || t.byID[id] != nil || t.launches[id] != nil {
		if parked != nil {
			t.killParked(parked)
		}
		return false, false
	}
	l.began = t.notes.clock.now()
	ready = t.handOver(l, parked)
	l.thread.Rearm()
	t.launches[id] = l
	return ready, true
}

// giveUp remembers that the launch id, of which nothing is known, is not to be
// begun: the request is being read just now. Or it is over already: then the
// id stays here for nothing, until it is among the oldest. The caller holds mu.
func (t *table) giveUp(id uint64) {
	if len(t.aborted) >= 4*window {
		oldest := id
		for other := range t.aborted {
			oldest = min(oldest, other)
		}
		delete(t.aborted, oldest)
	}
	t.aborted[id] = true
}

// finish enters the child that l has launched, and takes over its record; a pid
// of 0 means that there is none.
func (t *table) finish(id uint64, l *launcher, made launch.Child, u *upkeep, failed bool) {
	t.mu.Lock()
	delete(t.launches, id)
	if pid := made.Pid; pid != 0 {
		c := &child{id: id, pid: pid, failed: failed, record: made.Record, held: made.Held, told: l.told, upkeep: u}
		t.byPid[pid] = c
		t.reused(pid)
		if !failed {
			t.byID[id] = c
			t.notes.birth(c, l.began)
		}
	}
	l.thread.Done()
	t.born++
	t.changed.Broadcast()
	t.mu.Unlock()
}

// claim returns the child with the given pid, which is a zombie. A pid that
// is not in the table belongs to a launch that is about to finish, and is
// waited for, or to an orphan: then claim returns nil. The caller holds mu.
func (t *table) claim(pid int) *child {
	for {
		if c := t.byPid[pid]; c != nil {
			return c
		}
		if !t.launching(pid) {
			return nil
		}
		t.changed.Wait()
	}
}

// own reports whether pid is of the keeper's making. The caller holds mu.
func (t *table) own(pid int) bool {
	return t.byPid[pid] != nil || t.launching(pid)
}

// launching reports whether pid is a process of which it is not yet decided what it
// is. The caller holds mu.
func (t *table) launching(pid int) bool {
	for th := range t.makers {
		if th.Pid() == pid {
			return true
		}
	}
	for _, l := range t.launches {
		if p := l.thread.Pid(); p == pid || p == launch.Unknown {
			return true
		}
	}
	return false
}

// remove takes out a child that has been reaped. The caller holds mu.
func (t *table) remove(c *child) {
	t.notes.exit(c)
	delete(t.byPid, c.pid)
	if !c.failed {
		delete(t.byID, c.id)
	}
}

// waitBirth waits until a launch has ended since born was seen.
func (t *table) waitBirth(seen uint64) {
	t.mu.Lock()
	for t.born == seen {
		t.changed.Wait()
	}
	t.mu.Unlock()
}

// close lets nothing more be launched, and makes the reaper look again. It
// reports false when the table is closed already.
func (t *table) close() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	t.closed = true
	t.endPool()
	t.born++
	t.changed.Broadcast()
	return true
}

// dismiss notes that the host has another keeper, and makes the reaper look
// whether anybody is left.
func (t *table) dismiss() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.free = true
	t.endPool()
	t.born++
	t.changed.Broadcast()
}

// dismissed reports whether the host needs this keeper no more, as far as it
// has no children. One that is being ended is needed to say so, as is one that
// ends what is left of a child.
func (t *table) dismissed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.free && !t.closed && len(t.launches)+len(t.makers) == 0 && t.clearing == 0
}

// isClosed reports whether everything is being ended.
func (t *table) isClosed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.closed
}

// deserted reports whether the table is closed and nothing is under way.
func (t *table) deserted() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.closed && len(t.launches)+len(t.makers) == 0
}

func (t *table) births() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.born
}
