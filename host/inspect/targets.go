package inspect

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/keeper"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/internal/runfolder"
)

// A target is a process that is a dead host's beyond doubt. It is held by a
// pidfd, opened before the last look at what it is: whatever becomes of its pid,
// no other process is signalled.
type target struct {
	Process
	pidfd int
}

// A hunt finds the targets in a runtime folder.
type hunt struct {
	found   map[int]*target
	order   []*target
	spared  []Process
	avoided map[int]bool // this process and its ancestors
}

// find returns what the records of a runtime folder still mean.
func find(dir string) *hunt {
	h := &hunt{found: map[int]*target{}, avoided: ancestors()}
	var all []keeper.Entry
	for _, path := range runfolder.Records(dir, keeper.RecordPrefix) {
		r, err := keeper.ReadRecord(path)
		if err == nil {
			all = append(all, r.Entries...)
		}
	}
	sessions := map[int]keeper.Entry{}
	for _, e := range all {
		h.recorded(e)
		sessions[e.Pid] = e
	}
	h.inSessions(sessions)
	for i := 0; i < len(h.order); i++ { // it grows
		h.below(h.order[i].Pid)
	}
	return h
}

// close gives up the pidfds.
func (h *hunt) close() {
	for _, t := range h.order {
		closeFD(t.pidfd)
	}
}

// began returns when a process began, and the end of the clock's tick.
func began(s linux.Stat) (from, to time.Duration) {
	const tick = time.Second / linux.TicksPerSecond
	from = time.Duration(s.StartTime) * tick
	return from, from + tick
}

// means reports whether an entry means the process of which s is known.
func means(e keeper.Entry, s linux.Stat) bool {
	from, to := began(s)
	return to > e.Earliest && from <= e.Latest
}

func (h *hunt) recorded(e keeper.Entry) {
	s, err := linux.ReadStat(e.Pid)
	if err != nil || s.State == 'Z' || s.State == 'X' {
		return
	}
	if !means(e, s) {
		h.spare(e.Pid, s, "the pid is recorded, of another process that began at another time")
		return
	}
	h.take(e.Pid, "recorded by its keeper", func(s linux.Stat) bool { return means(e, s) })
}

// inSessions takes the processes in a session that a recorded process leads or
// led. A session cannot be entered from outside. If one of those in it was there
// while the number was the recorded process's, the session is that one's, and
// its number has been in use ever since: so are all in it.
func (h *hunt) inSessions(recorded map[int]keeper.Entry) {
	members := map[int][]int{}
	ours := map[int]bool{}
	for _, pid := range allPids() {
		s, err := linux.ReadStat(pid)
		if err != nil || s.Session == 0 {
			continue
		}
		e, ok := recorded[s.Session]
		if !ok {
			continue
		}
		members[s.Session] = append(members[s.Session], pid)
		if from, to := began(s); pid != e.Pid && from >= e.Earliest && to <= e.Held || h.found[e.Pid] != nil {
			ours[s.Session] = true
		}
	}
	for session, pids := range members {
		for _, pid := range pids {
			if ours[session] {
				mark := "in the session of recorded process " + strconv.Itoa(session)
				h.take(pid, mark, func(s linux.Stat) bool { return s.Session == session })
			}
		}
	}
}

// below takes the children of a target.
func (h *hunt) below(pid int) {
	for _, c := range linux.Children(pid) {
		h.take(c, fmt.Sprintf("below process %d", pid), func(s linux.Stat) bool { return s.Parent == pid })
	}
}

// take adds a process, if it still is what it has to be once there is a
// descriptor that holds it.
func (h *hunt) take(pid int, mark string, still func(linux.Stat) bool) {
	if h.found[pid] != nil {
		return
	}
	if h.avoided[pid] {
		s, _ := linux.ReadStat(pid)
		h.spare(pid, s, "this command runs below it, or is it: "+mark)
		return
	}
	fd, err := linux.PidfdOpen(pid)
	if err != nil {
		return // it has ended; or there are no pidfds, and so no certainty
	}
	s, err := linux.ReadStat(pid)
	if err != nil || s.State == 'Z' || s.State == 'X' || !still(s) {
		closeFD(fd)
		return
	}
	t := &target{Process{Pid: pid, Name: s.Comm, Mark: mark}, fd}
	h.found[pid] = t
	h.order = append(h.order, t)
}

func (h *hunt) spare(pid int, s linux.Stat, why string) {
	h.spared = append(h.spared, Process{Pid: pid, Name: s.Comm, Mark: why, Action: ActionSpared})
}

// ancestors returns this process and all it descends from, which are never
// ended.
func ancestors() map[int]bool {
	all := map[int]bool{1: true}
	for pid := os.Getpid(); pid > 0 && !all[pid]; {
		all[pid] = true
		s, err := linux.ReadStat(pid)
		if err != nil {
			break
		}
		pid = s.Parent
	}
	return all
}

// allPids returns every pid that /proc shows.
func allPids() (pids []int) {
	d, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer d.Close()
	names, _ := d.Readdirnames(-1)
	for _, name := range names {
		if pid, err := strconv.Atoi(filepath.Base(name)); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}
