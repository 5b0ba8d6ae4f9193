//go:build unix

package keeper

import (
	"encoding/binary"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/failpoint"
	"github.com/hatchery-spawn/hatchery/internal/lane"
	"github.com/hatchery-spawn/hatchery/internal/linux"
)

// A sweeper ends what children have left behind. However many leave something
// at the same time, there is one look at all orphans for all of them.
type sweeper struct {
	k *keeper

	mu   sync.Mutex
	jobs []*job // of which one goroutine takes care, as long as there are any
}

// A job is the end of what one child has left: SIGTERM and SIGCONT to each of
// them, and from kill on SIGKILL, until limit.
type job struct {
	left  *left
	kill  time.Time
	limit time.Time
	done  func(Cleared)

	named map[int]string // all that were found, at any time
	told  map[int]bool   // that were sent SIGTERM
	found []orphan       // by the last look
	none  int            // looks in a row that found nobody
	stuck bool           // nobody that was found may be signalled
}

// An orphan is a process that is being ended.
type orphan struct {
	pid, parent int
	start       uint64
}

// open returns a pidfd of the process, the caller's to close, if it is alive and
// who it was.
func (o orphan) open() (pidfd int, ok bool) {
	fd, ok := openDescendant(o.pid, o.parent)
	if !ok {
		return -1, false
	}
	if s, err := linux.ReadStat(o.pid); err != nil || s.StartTime != o.start {
		syscall.Close(fd)
		return -1, false
	}
	return fd, true
}

// clear handles a frameClear. The answer may take long: it comes from elsewhere.
func (k *keeper) clear(id uint64, payload []byte) {
	answer := func(c Cleared) {
		k.send(&lane.Frame{Type: frameCleared, ID: id, Payload: c.append(nil)})
	}
	failpoint.Pass(failpoint.KeeperClear)
	if len(payload) != 24 {
		answer(Cleared{})
		return
	}
	le, now := binary.LittleEndian, time.Now()
	j := &job{done: answer, named: map[int]string{}, told: map[int]bool{}}
	j.kill = now.Add(time.Duration(le.Uint64(payload[8:])))
	j.limit = j.kill.Add(time.Duration(le.Uint64(payload[16:])))
	t := k.table
	t.mu.Lock()
	if j.left = t.left[le.Uint64(payload)]; le.Uint64(payload) == ofNobody {
		j.left = &left{pidfd: -1, rest: true}
	}
	mine := j.left != nil && !j.left.busy
	if mine {
		j.left.busy = true
		t.clearing++
	}
	t.mu.Unlock()
	if !mine { // it has ended by itself, or somebody else is at it
		answer(Cleared{})
		return
	}
	k.sweeper.add(j)
}

func (s *sweeper) add(j *job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.jobs = append(s.jobs, j)
	if len(s.jobs) == 1 {
		go s.run()
	}
}

// run works until there is nothing to do.
func (s *sweeper) run() {
	for {
		s.mu.Lock()
		jobs := slices.Clone(s.jobs)
		s.mu.Unlock()
		seen := s.k.table.orphansEnded()
		s.k.rooted.do(func() { s.round(jobs) })
		again := false
		for _, j := range jobs {
			if j.over() {
				s.finish(j)
			} else {
				again = again || j.none == 1
			}
		}
		s.mu.Lock()
		idle := len(s.jobs) == 0
		s.mu.Unlock()
		switch {
		case idle:
			return
		case !again:
			s.k.table.waitOrphan(seen, endPause)
		}
	}
}

// over reports whether a job is done, or to be given up. One look that finds
// nobody may have missed one who was being adopted; and a group that has members
// has not ended, whoever was found.
func (j *job) over() bool {
	if len(j.found) == 0 && j.none >= 2 && !j.left.grouped() {
		return true
	}
	now := time.Now()
	return now.After(j.limit) || j.stuck && now.After(j.kill)
}

// finish tells of a job and takes it out.
func (s *sweeper) finish(j *job) {
	var c Cleared
	for _, o := range j.found {
		c.Left = append(c.Left, Proc{o.pid, j.named[o.pid]})
		delete(j.named, o.pid)
	}
	for pid, name := range j.named {
		c.Ended = append(c.Ended, Proc{pid, name})
	}
	slices.SortFunc(c.Ended, func(a, b Proc) int { return a.Pid - b.Pid })
	j.done(c)
	s.k.table.cleared(j.left)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.jobs = slices.DeleteFunc(s.jobs, func(o *job) bool { return o == j })
}

// round looks for all that is to be ended, and signals it.
func (s *sweeper) round(jobs []*job) {
	s.look(jobs)
	failpoint.Pass(failpoint.KeeperSweep)
	now := time.Now()
	tree := newTree(s.k.table)
	defer tree.close()
	for _, j := range jobs {
		if now.Before(j.kill) {
			j.term()
			continue
		}
		for _, o := range j.found {
			tree.addOrphan(o)
		}
	}
	if len(tree.members) == 0 {
		return
	}
	tree.kill()
	for _, j := range jobs {
		j.stuck = len(j.found) > 0 && !slices.ContainsFunc(j.found, func(o orphan) bool { return !slices.Contains(tree.left, o.pid) })
	}
}

// term asks those to end who have not been asked.
func (j *job) term() {
	for _, o := range j.found {
		if j.told[o.pid] {
			continue
		}
		if fd, ok := o.open(); ok {
			linux.PidfdSignal(fd, syscall.SIGTERM)
			linux.PidfdSignal(fd, syscall.SIGCONT)
			syscall.Close(fd)
			j.told[o.pid] = true
		}
	}
}

// look finds out who of the keeper's adopted children, and of what is below
// them, is whose.
func (s *sweeper) look(jobs []*job) {
	byNumber, byKin := map[int]*job{}, map[kin]*job{}
	var rest *job
	for _, j := range jobs {
		j.found, j.stuck = j.found[:0], false
		if j.left.rest {
			rest = j
			continue
		}
		byNumber[j.left.number] = j
		for _, m := range j.left.kin {
			byKin[m] = j
		}
	}
	self := os.Getpid()
	var walk func(pid, parent int, whose *job)
	walk = func(pid, parent int, whose *job) {
		st, err := linux.ReadStat(pid)
		if err != nil || st.Parent != parent {
			return
		}
		if whose == nil {
			whose = byKin[kin{pid, st.StartTime}]
		}
		for _, n := range [...]int{st.Group, st.Session} {
			if j := byNumber[n]; whose == nil && n != 0 && j != nil && j.left.owns(st) {
				whose = j
			}
		}
		if whose == nil && parent == self {
			whose = rest
		}
		if whose != nil && st.State != 'Z' && st.State != 'X' {
			whose.found = append(whose.found, orphan{pid, parent, st.StartTime})
			if len(whose.named) < maxNamed {
				whose.named[pid] = st.Comm
			}
		}
		for _, c := range linux.Children(pid) {
			walk(c, pid, whose)
		}
	}
	for _, pid := range s.k.table.adopted() {
		walk(pid, self, nil)
	}
	for _, j := range jobs {
		j.none++
		if len(j.found) > 0 {
			j.none = 0
		}
	}
}

// adopted returns the children of this process that are not of its making.
func (t *table) adopted() []int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.DeleteFunc(linux.Adopted(), t.own)
}

// cleared forgets what was left, once that has been told. A keeper that was
// dismissed may end then: the reaper looks.
func (t *table) cleared(l *left) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.drop(l)
	t.clearing--
	if t.free {
		t.born++
		t.changed.Broadcast()
	}
}

// orphansEnded returns how many orphans have been reaped.
func (t *table) orphansEnded() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.orphans
}

// waitOrphan waits until an orphan has been reaped since seen, at most for d.
func (t *table) waitOrphan(seen uint64, d time.Duration) {
	late := false
	timer := time.AfterFunc(d, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		late = true
		t.changed.Broadcast()
	})
	defer timer.Stop()
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.orphans == seen && !late {
		t.changed.Wait()
	}
}
