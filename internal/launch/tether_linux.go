//go:build linux && (amd64 || arm64)

package launch

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// A child on its way to its program is tied to its parent's life whatever its
// plan says: one that waits for a device, opens a fifo, or was stopped by
// somebody would otherwise stay for ever, with the memory of a parent that was
// killed. What the plan says of the time after its exec comes with its step
// pdeathsig, or, without one, right before the exec.

// tether emits the tie. Every change of identity undoes it (commit_creds in
// kernel/cred.c), and so it is emitted again behind each.
func (b *builder) tether(step, parent int, flags uint64) {
	b.call(step, unix.SYS_PRCTL, unix.PR_SET_PDEATHSIG, uintptr(syscall.SIGKILL))
	b.sameParent(step, parent, flags)
}

// untether emits what undoes the tie, of a plan that does not ask for one.
func (b *builder) untether(r *Request, step int) {
	for _, s := range r.Plan.Steps {
		if s.Op == spawn.OpPdeathsig {
			return
		}
	}
	b.call(step, unix.SYS_PRCTL, unix.PR_SET_PDEATHSIG, 0)
}

// changesIdentity reports whether the kernel forgets the tie at op.
func changesIdentity(op spawn.Op) bool {
	switch op {
	case spawn.OpSetresgid, spawn.OpSetresuid, spawn.OpUnshare, spawn.OpSetns:
		return true
	}
	return false
}

// sameParent emits the check that the parent has not died before it was asked
// for the signal, which would then never come. In a pid namespace of its own a
// child cannot see its parent; there the pidfd of the parent tells, though not
// in the moment in which the parent's threads go one after the other.
func (b *builder) sameParent(step, parent int, flags uint64) {
	var o *op
	var want uintptr
	switch {
	case flags&unix.CLONE_NEWPID == 0:
		o, want = b.call(step, unix.SYS_GETPPID), uintptr(parent)
	case b.self > 0:
		now := pointer(b.bytes(int(unsafe.Sizeof(unix.Timespec{}))))
		o = b.call(step, unix.SYS_PPOLL, b.words(uint32(b.self), unix.POLLIN), 1, now)
	default:
		return
	}
	o.chk, o.want, o.fail = true, want, uintptr(syscall.ESRCH)
}
