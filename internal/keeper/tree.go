//go:build unix

package keeper

import (
	"errors"
	"strconv"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/failpoint"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A member is a process that is being ended. A child of the keeper is known by
// its place in the table, any other process by a pidfd.
type member struct {
	pid   int
	pidfd int    // -1 for a child
	child *child // nil for all others
}

// A tree is a set of processes to be ended together. They are stopped from
// the root down before any of them is killed: a stopped process makes no more
// children and reaps none, so what is found below it stays what it is.
type tree struct {
	table   *table
	members map[int]member
	left    []int // could not be signalled
}

func newTree(t *table) *tree { return &tree{table: t, members: map[int]member{}} }

// addChild adds a child of the keeper, which the caller found with the table
// locked. The caller still holds the lock.
func (t *tree) addChild(c *child) { t.add(member{c.pid, -1, c}) }

// addOrphans adds the keeper's adopted children. The caller holds the table's
// lock, so none of them is reaped meanwhile.
func (t *tree) addOrphans(self int) {
	for _, pid := range linux.Children(self) {
		if !t.table.own(pid) {
			t.addStranger(pid, self)
		}
	}
}

// addStranger adds a process that is not a child of the keeper's making.
func (t *tree) addStranger(pid, parent int) bool {
	if _, ok := t.members[pid]; ok {
		return false
	}
	fd, ok := openDescendant(pid, parent)
	if ok {
		t.add(member{pid, fd, nil})
	}
	return ok
}

// addOrphan adds a process that was found below the keeper, if it still is who
// it was.
func (t *tree) addOrphan(o orphan) {
	if fd, ok := o.open(); ok {
		t.add(member{o.pid, fd, nil})
	}
}

// openDescendant returns a pidfd, the caller's to close, of a living process
// that was found among the children of parent. It must still have that parent
// when the pidfd is open: then the descriptor is of the right process.
func openDescendant(pid, parent int) (pidfd int, ok bool) {
	fd, err := linux.PidfdOpen(pid)
	if err != nil {
		return -1, false
	}
	if s, err := linux.ReadStat(pid); err != nil || s.Parent != parent || s.State == 'Z' {
		syscall.Close(fd)
		return -1, false
	}
	return fd, true
}

func (t *tree) add(m member) {
	t.members[m.pid] = m
	if err := t.signal(m, syscall.SIGSTOP); errors.Is(err, syscall.EPERM) {
		t.left = append(t.left, m.pid)
	}
}

func (t *tree) signal(m member, sig syscall.Signal) error {
	if m.child == nil {
		return linux.PidfdSignal(m.pidfd, sig)
	}
	if t.table.byPid[m.pid] != m.child {
		return syscall.ESRCH
	}
	return syscall.Kill(m.pid, sig)
}

// settlePause is the time between two looks at whether SIGSTOP has taken
// effect: of a process that is not one's child that is no event.
const settlePause = 500 * time.Microsecond

// maxPasses bounds the search for descendants. Each pass that finds one more
// shows that something was quicker than the pass before.
const maxPasses = 64

// kill finds everything below the members, stops it, and kills all. It
// returns an error that names what could not be signalled.
func (t *tree) kill() error {
	for range maxPasses {
		grown, running := false, false
		for pid := range t.members {
			s, err := linux.ReadStat(pid)
			running = running || err == nil && s.State != 'T' && s.State != 'Z' && s.State != 'X'
			for _, c := range linux.Children(pid) {
				grown = t.addStranger(c, pid) || grown
			}
		}
		if !grown && !running {
			break
		}
		if !grown {
			<-time.After(settlePause)
		}
	}
	failpoint.Pass(failpoint.KeeperTreeStill)
	t.table.mu.Lock()
	// The children last: with the end of one whose group others are in, who stand
	// still, the kernel would wake them (kill_orphaned_pgrp in kernel/exit.c).
	for _, children := range [...]bool{false, true} {
		for _, m := range t.members {
			if children == (m.child != nil) {
				t.signal(m, syscall.SIGKILL)
			}
		}
	}
	t.table.mu.Unlock()
	if len(t.left) > 0 {
		return &spawn.Error{Phase: spawn.PhaseStop, Op: "kill", Errno: syscall.EPERM, Msg: names(t.left)}
	}
	return nil
}

// close closes the pidfds.
func (t *tree) close() {
	for _, m := range t.members {
		if m.pidfd >= 0 {
			syscall.Close(m.pidfd)
		}
	}
}

// names lists processes as "pid (comm)".
func names(pids []int) string {
	var s string
	for _, pid := range pids {
		if s != "" {
			s += ", "
		}
		st, _ := linux.ReadStat(pid)
		s += strconv.Itoa(pid) + " (" + st.Comm + ")"
	}
	return s
}
