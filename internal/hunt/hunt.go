package hunt

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/keeper"
	"github.com/hatchery-spawn/hatchery/internal/linux"
)

// What has become of a Target.
const (
	Terminated = "terminated" // by SIGTERM
	Killed     = "killed"     // by SIGKILL
	Failed     = "failed"     // see Target.Error
)

// A Target is a process that the record means beyond doubt.
type Target struct {
	Pid    int
	Name   string // as ps calls it: 15 bytes at most
	Mark   string // why it is the keeper's
	Action string // Terminated, Killed or Failed; empty before End
	Error  string // why it could not be ended, or empty

	// Child says that it was made by the keeper: with that it is killed by
	// the kernel, if it may be.
	Child bool

	pidfd int
}

// Options say what Find takes for a mark.
type Options struct {
	// Groups has what is in the process group of a recorded process count as
	// what is in its session does. That is for somebody who comes at once: of a
	// group, unlike of a session, the members can change.
	Groups bool
}

// A Hunt is what was found. Close it.
type Hunt struct {
	Found  []*Target // each before what is below it
	Spared []Target  // recorded, but not ended; Mark says why

	byPid   map[int]*Target
	avoided map[int]bool // this process and its ancestors
}

// Find returns what entries of records still mean.
func Find(entries []keeper.Entry, o Options) *Hunt {
	h := &Hunt{byPid: map[int]*Target{}, avoided: ancestors()}
	leaders := map[int]keeper.Entry{}
	for _, e := range entries {
		h.recorded(e)
		leaders[e.Pid] = e
	}
	h.led(leaders, func(s linux.Stat) int { return s.Session }, "in the session of recorded process ")
	if o.Groups {
		h.led(leaders, func(s linux.Stat) int { return s.Group }, "in the group of recorded process ")
	}
	h.descend()
	return h
}

// descend takes what is below the targets.
func (h *Hunt) descend() {
	for i := 0; i < len(h.Found); i++ { // it grows
		h.below(h.Found[i].Pid)
	}
}

// Close gives up the pidfds.
func (h *Hunt) Close() {
	for _, t := range h.Found {
		closeFD(t.pidfd)
	}
}

// began returns when a process began, and the end of the clock's tick.
func began(s linux.Stat) (from, to time.Duration) {
	const tick = time.Second / linux.TicksPerSecond
	from = time.Duration(s.StartTime) * tick
	return from, from + tick
}

// Means reports whether an entry means the process of which s is known.
func Means(e keeper.Entry, s linux.Stat) bool {
	from, to := began(s)
	return to > e.Earliest && from <= e.Latest
}

func (h *Hunt) recorded(e keeper.Entry) {
	s, err := linux.ReadStat(e.Pid)
	if err != nil || s.State == 'Z' || s.State == 'X' {
		return
	}
	if !Means(e, s) {
		h.spare(e.Pid, s, "the pid is recorded, of another process that began at another time")
		return
	}
	h.take(e.Pid, "recorded by its keeper", func(s linux.Stat) bool { return Means(e, s) })
	if t := h.byPid[e.Pid]; t != nil {
		t.Child = e.Child
	}
}

// led takes the processes in a session, or group, that a recorded process leads
// or led. A session cannot be entered from outside. If one of those in it was there
// while the number was the recorded process's, the session is that one's, and
// its number has been in use ever since: so are all in it.
func (h *Hunt) led(recorded map[int]keeper.Entry, number func(linux.Stat) int, mark string) {
	members := map[int][]int{}
	ours := map[int]bool{}
	for _, pid := range Pids() {
		s, err := linux.ReadStat(pid)
		if err != nil || number(s) == 0 {
			continue
		}
		e, ok := recorded[number(s)]
		if !ok {
			continue
		}
		members[e.Pid] = append(members[e.Pid], pid)
		if _, to := began(s); pid != e.Pid && to > e.Earliest && to <= e.Held || h.byPid[e.Pid] != nil {
			ours[e.Pid] = true
		}
	}
	for leader, pids := range members {
		for _, pid := range pids {
			if ours[leader] {
				h.take(pid, mark+strconv.Itoa(leader), func(s linux.Stat) bool { return number(s) == leader })
			}
		}
	}
}

// below takes the children of a target.
func (h *Hunt) below(pid int) {
	for _, c := range linux.Children(pid) {
		h.take(c, fmt.Sprintf("below process %d", pid), func(s linux.Stat) bool { return s.Parent == pid })
	}
}

// take adds a process, if it still is what it has to be once there is a
// descriptor that holds it.
func (h *Hunt) take(pid int, mark string, still func(linux.Stat) bool) {
	if h.byPid[pid] != nil {
		return
	}
	if h.avoided[pid] {
		s, _ := linux.ReadStat(pid)
		h.spare(pid, s, "this process is below it, or is it: "+mark)
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
	t := &Target{Pid: pid, Name: s.Comm, Mark: mark, pidfd: fd}
	h.byPid[pid] = t
	h.Found = append(h.Found, t)
}

func (h *Hunt) spare(pid int, s linux.Stat, why string) {
	h.Spared = append(h.Spared, Target{Pid: pid, Name: s.Comm, Mark: why, pidfd: -1})
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

// Pids returns every pid that /proc shows.
func Pids() (pids []int) {
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
