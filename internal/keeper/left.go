//go:build unix

package keeper

import (
	"errors"
	"syscall"

	"github.com/hatchery-spawn/hatchery/internal/linux"
)

// A left is what a child has left behind. It is known by the group and the
// session that the child led, and by a look at its tree when it was asked to
// end. The processes themselves are looked for when they are to be ended.
//
// As long as a group or session has members its number is given to nobody
// else. Whether it still has them, or had none for a while, the pidfd of the
// child tells: it stands for the number as the child bore it, also when the
// child is gone.
type left struct {
	id      uint64 // the child's
	number  int    // the child's pid, when it led a group or a session; or else 0
	session bool   // it led a session
	pidfd   int    // the child's; -1 when there is none, or it is of no use
	ended   uint64 // when the child was reaped, in ticks since boot
	kin     []kin
	busy    bool // it is being ended, and no longer guarded by mu
	rest    bool // it is what nobody else has left, as far as is known
}

// A kin is a process that was below a child. With the time of its birth the pid
// stands for nobody else.
type kin struct {
	pid   int
	start uint64
}

// newLeft prepares for the reaping of a child, a zombie, that may leave
// something behind. It returns nil when nothing would be known of it.
func newLeft(c *child, group, session bool) *left {
	if !group && !session && len(c.kin) == 0 {
		return nil
	}
	l := &left{id: c.id, pidfd: -1, session: session, kin: c.kin}
	if !group && !session {
		return l
	}
	l.number = c.pid
	if fd, err := linux.PidfdOpen(c.pid); err == nil {
		l.pidfd = fd
	}
	return l
}

// leave notes what a child has left that has been reaped, and reports whether
// there may be anything. The caller holds mu.
func (t *table) leave(l *left) bool {
	if l == nil {
		return false
	}
	l.ended = linux.Ticks()
	if l.pidfd >= 0 && errors.Is(linux.PidfdSignalGroup(l.pidfd, 0), syscall.EINVAL) {
		l.close() // before Linux 6.9
	}
	if l.empty() {
		l.close()
		return false
	}
	t.left[l.id] = l
	if l.number != 0 {
		t.byNumber[l.number] = l
	}
	return true
}

// drop forgets what has ended, or has been given up. The caller holds mu.
func (t *table) drop(l *left) {
	if t.left[l.id] == l {
		delete(t.left, l.id)
	}
	if t.byNumber[l.number] == l {
		delete(t.byNumber, l.number)
	}
	l.close()
}

// reused notes that the kernel has given a number away: nothing that bore it as
// group or session is there any more. The caller holds mu.
func (t *table) reused(pid int) {
	if l := t.byNumber[pid]; l != nil && !l.busy {
		delete(t.byNumber, pid)
		l.close()
		l.number = 0
	}
}

// orphanEnded notes that an adopted child of this group and session has been
// reaped: it may have been the last of what somebody left. The caller holds mu.
func (t *table) orphanEnded(group, session int) {
	t.orphans++
	if len(t.left) == 0 {
		return
	}
	for _, n := range [...]int{group, session} {
		if l := t.byNumber[n]; l != nil && !l.busy && l.empty() {
			t.drop(l)
		}
	}
	t.changed.Broadcast()
}

// close closes the pidfd.
func (l *left) close() {
	if l.pidfd >= 0 {
		syscall.Close(l.pidfd)
		l.pidfd = -1
	}
}

// grouped reports whether the group has had members ever since the child ended.
func (l *left) grouped() bool {
	if l.pidfd < 0 {
		return false
	}
	err := linux.PidfdSignalGroup(l.pidfd, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}

// owns reports whether a process with this number is of the group or session.
// Where it cannot be known that the number has stood for the same all the time
// the process must have been born while the child was there.
func (l *left) owns(s linux.Stat) bool {
	if l.number == 0 || s.Group != l.number && !(l.session && s.Session == l.number) {
		return false
	}
	return s.StartTime <= l.ended || l.grouped()
}

// empty reports whether nothing is left for sure. It costs a system call, or a
// few for the leader of a session.
func (l *left) empty() bool {
	if l.number != 0 {
		if l.grouped() || l.pidfd < 0 && exists(-l.number) {
			return false
		}
		if l.session && l.inSession() {
			return false
		}
	}
	for _, m := range l.kin {
		if exists(m.pid) {
			return false
		}
	}
	return true
}

// inSession reports whether an orphan is in the session: one that has a
// group of its own there.
func (l *left) inSession() bool {
	for _, pid := range linux.Adopted() {
		if s, err := linux.ReadStat(pid); err == nil && s.State != 'Z' && l.owns(s) {
			return true
		}
	}
	return false
}

// exists reports whether there is a process, or with a negative number a group.
func exists(pid int) bool { return syscall.Kill(pid, 0) != syscall.ESRCH }
