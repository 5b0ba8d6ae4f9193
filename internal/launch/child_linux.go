//go:build linux && (amd64 || arm64)

package launch

import (
	"runtime"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// An op is one system call of the child. Everything in it is a number, so
// that reading and writing it involves neither the garbage collector nor its
// write barrier; what the numbers point to is kept alive by the builder.
type op struct {
	nr   uintptr
	args [6]uintptr
	refs uintptr // bit i, of the first three: args[i] is the index of an earlier op's result
	want uintptr // with check: the only result that is not a failure
	fail uintptr // with check: the errno of that failure
	step uintptr // the step of the plan that it belongs to
	chk  bool    // compare the result with want
}

// storeCall is no system call: its first argument, a result, is stored at the
// address that is the second, in a structure that a later call has.
const storeCall = ^uintptr(0)

// maxOps bounds the list; maxSteps of a plan lie well below it.
const maxOps = 8192

// state is the memory that parent and child share until the child has become its
// program. The names of the fields of a nested child are known to the assembly.
type state struct {
	ops   *[maxOps]op
	n     uintptr  // the end of the child's list, or of its child's
	step  *uintptr // Progress.step
	errno uintptr
	abort *uintptr         // Progress.abort
	res   *[maxOps]uintptr // as long as ops
	mem   []uintptr        // what res points to
	did   uintptr          // how many calls have been made, if there is one process

	// With errands: see attend.
	asked uint32 // the number of the errand that the child waits for
	done  uint32 // the number of the last one that was done, and an errno

	// With a step init: see the phases.
	call      [6]uintptr // the system call that clones the nested child
	nest      uintptr    // where the list goes on in the nested child, or 0
	total     uintptr    // the end of what the child itself does meanwhile
	initStep  uintptr    // not 0 once it has begun with that
	nestErrno uintptr
	nestTid   uint32 // 0 before the nested child is there and once it has left this memory

	// With a step park: see Park.
	parks  bool
	moving uint32  // 0 once the nested child waits, or has left this memory before
	parked uint32  // 1 once it waits, and nestTid says when it leaves
	more   uintptr // where the list goes on then,
	end    uintptr // and its end
	parcel parcel  // what it is handed
	gate   uint32  // whether it may be that: see pass
}

// The phases. There is one process in the simplest case, the child, which walks
// the whole list.
//
// With a step init the child walks up to it; then, in the assembly, it clones the
// nested child. The child walks what is left for it, the exec of process 1's
// program, by which it leaves this memory. The nested child walks on from the
// step, and waits before its exec until process 1 says that it is ready: so the
// program never runs beside a process 1 that has the keeper's memory.
//
// At a step park the nested child, which has seen process 1 ready, waits for the rest of
// its list. The launching thread does not wait for it meanwhile.
const (
	phaseChild  = iota // the child, up to the step init
	phaseNested        // the nested child
	phaseInit          // the child, behind it
)

// reset makes ops the list to walk.
//
//go:nocheckptr
func (s *state) reset(ops []op, p *Progress) {
	// The list is never longer than its array: lower checks that.
	s.ops = (*[maxOps]op)(unsafe.Pointer(unsafe.SliceData(ops)))
	s.n, s.nest, s.parks = uintptr(len(ops)), 0, false
	if len(s.mem) < cap(ops) {
		s.mem = make([]uintptr, cap(ops))
	}
	s.res = (*[maxOps]uintptr)(unsafe.Pointer(unsafe.SliceData(s.mem)))
	s.step, s.abort, s.errno, s.did = &p.step, &p.abort, 0, 0
	s.initStep, s.nestErrno, s.nestTid = 0, 0, 0
	atomic.StoreUintptr(&p.step, 0)
}

// split says where in the list the nested child's part begins and the child's
// last part, and on which stack it runs. The kernel keeps nestTid.
func (s *state) split(nest, after int, stack uintptr) {
	s.total, s.n, s.nest = s.n, uintptr(after), uintptr(nest)
	flags := unix.CLONE_VM | unix.CLONE_PARENT_SETTID | unix.CLONE_CHILD_CLEARTID | uintptr(unix.SIGCHLD)
	tid, left := uintptr(unsafe.Pointer(&s.nestTid)), uintptr(unsafe.Pointer(&s.nestTid))
	if s.parks {
		left = uintptr(unsafe.Pointer(&s.moving)) // until it waits: see settle
	}
	s.call = [6]uintptr{unix.SYS_CLONE, flags, stack, tid, left, 0}
	if runtime.GOARCH == "arm64" { // which has the last two the other way round
		s.call = [6]uintptr{unix.SYS_CLONE, flags, stack, tid, 0, left}
	}
}

// walk is all that a child does. It runs on the child's own stack, in the
// parent's memory, with every signal blocked. It must not allocate, grow its
// stack, or write a pointer. (Under the race detector package sync/atomic is
// made of calls, so the step is a plain store.) It returns when another child is
// to be cloned, by s.call, and is called again in each of both; in the one that
// has cloned it, with what the call returned.
//
//go:nosplit
//go:norace
//go:nocheckptr
func walk(s *state, phase, result uintptr) {
	switch {
	case phase == phaseNested:
		if run(s, s.nest, s.n, s.step, &s.nestErrno) && s.parks {
			run(s, s.more, s.end, s.step, &s.nestErrno)
		}
		s.settle()
	case phase == phaseInit && result > ^uintptr(4095):
		s.errno = -result
	case phase == phaseInit:
		run(s, s.n, s.total, &s.initStep, &s.errno)
	case s.nest == 0:
		run(s, 0, s.n, s.step, &s.errno)
	case run(s, 0, s.nest, s.step, &s.errno):
		return
	}
	for {
		syscall.RawSyscall(unix.SYS_EXIT_GROUP, 127, 0, 0)
	}
}

// maxAgain bounds how often a list asks anew where openat2(2) could not tell whether a ".."
// stays in the root, since anybody on the machine renamed or mounted something meanwhile.
// Somebody who does nothing else could have it fail for ever.
const maxAgain = 1000

// run walks a part of the list, and leaves in step and errno how far it came. It
// reports whether all of it was done.
//
//go:nosplit
//go:norace
//go:nocheckptr
func run(s *state, i, end uintptr, step, errno *uintptr) bool {
	for again := 0; i < end; i++ {
		o := &s.ops[i]
		*step = o.step
		if *s.abort != 0 {
			*errno = uintptr(unix.ECANCELED)
			return false
		}
		a0, a1, a2, a3, a4, a5 := o.args[0], o.args[1], o.args[2], o.args[3], o.args[4], o.args[5]
		if o.refs != 0 {
			if o.refs&1 != 0 {
				a0 = s.res[a0]
			}
			if o.refs&2 != 0 {
				a1 = s.res[a1]
			}
			if o.refs&4 != 0 {
				a2 = s.res[a2]
			}
		}
		if o.nr == storeCall {
			**(**uint32)(unsafe.Pointer(&o.args[1])) = uint32(a0)
			continue
		}
		if o.nr == awaitCall {
			if e := s.ask(a0, a1); e != 0 {
				*errno = uintptr(e)
				return false
			}
			continue
		}
		if o.nr == settleCall {
			s.settle()
			continue
		}
		if o.nr == forgetCall {
			forget(a0)
			continue
		}
		if o.nr == nullCall {
			tryOpen(a0, a1, a2)
			continue
		}
		if o.nr == gateCall {
			if e := s.pass(); e != 0 {
				*errno = uintptr(e)
				return false
			}
			continue
		}
		r, _, e := syscall.RawSyscall6(o.nr, a0, a1, a2, a3, a4, a5)
		if e == 0 && o.chk && r != o.want {
			e = syscall.Errno(o.fail)
		}
		if e == syscall.EAGAIN && o.nr == unix.SYS_OPENAT2 && again < maxAgain {
			again++
			i--
			continue
		}
		if e != 0 {
			*errno = uintptr(e)
			return false
		}
		s.res[i], s.did = r, i+1
	}
	return true
}

// sigset is the kernel's set of signals.
type sigset uint64

// vfork makes the clone call nr with its arguments and lets the child walk, and who
// else there is.
// It returns what the call returned in the parent.
//
// The scheduler sees a system call, so a child that takes its time holds a
// thread but no P. Nothing between entersyscall and exitsyscall may grow the
// stack. Signals are blocked so that no handler runs in the child before they
// are reset.
//
//go:nosplit
//go:norace
//go:nocheckptr
func vfork(nr, a1, a2, a3 uintptr, s *state) uintptr {
	all, old := ^sigset(0), sigset(0)
	entersyscall()
	syscall.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&all)), uintptr(unsafe.Pointer(&old)), unsafe.Sizeof(all), 0, 0)
	r := vforkWalk(nr, a1, a2, a3, 0, 0, s)
	if r <= ^uintptr(4095) {
		awaitOthers(r, s)
	}
	syscall.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&old)), 0, unsafe.Sizeof(old), 0, 0)
	exitsyscall()
	return r
}

// lookTime is how often the launching thread looks whether there is still
// something to wait for. The kernel says when a nested child has left the memory,
// save for one that ends with a core dump before Linux 5.16; and for one that is killed
// in the moment in which it begins to wait at a step park, where parkTime is short.
const (
	lookTime = int64(1e9) // nanoseconds
	parkTime = int64(1e7)
)

// awaitOthers waits until the child of the process first, for which vfork has
// waited, is out of the shared memory, or is parked.
//
//go:nosplit
//go:norace
//go:nocheckptr
func awaitOthers(first uintptr, s *state) {
	switch {
	case s.parks && s.nestTid != 0:
		awaitTid(first, &s.moving, parkTime)
	case s.nest != 0 && !s.parks:
		awaitTid(first, &s.nestTid, lookTime)
	}
}

// awaitTid waits until tid is 0, which the kernel makes it when its process leaves
// the memory. It is that of the child, or of a process in its pid namespace: when
// the child has ended, which nobody has reaped, so has everything there.
//
//go:nosplit
//go:norace
//go:nocheckptr
func awaitTid(child uintptr, tid *uint32, look int64) {
	const sharedWait = 0 // FUTEX_WAIT: the kernel's own wake-up is not a private one
	for {
		is := *tid
		if is == 0 {
			return
		}
		ts := unix.Timespec{Sec: look / 1e9, Nsec: look % 1e9}
		_, _, e := syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(tid)), sharedWait, uintptr(is), uintptr(unsafe.Pointer(&ts)), 0, 0)
		if e != unix.ETIMEDOUT {
			continue
		}
		var info [16]uint64 // siginfo_t: all 0 when the child has not ended
		const how = unix.WEXITED | unix.WNOHANG | unix.WNOWAIT
		_, _, e = syscall.RawSyscall6(unix.SYS_WAITID, unix.P_PID, child, uintptr(unsafe.Pointer(&info)), how, 0, 0)
		if e == unix.ECHILD || info[0] != 0 {
			return
		}
	}
}

// vforkWalk makes the system call nr. In the child, which wakes on the stack
// that the call gave it, it calls walk, which does not return.
//
//go:noescape
func vforkWalk(nr, a1, a2, a3, a4, a5 uintptr, s *state) (r uintptr)

//go:linkname entersyscall runtime.entersyscall
func entersyscall()

//go:linkname exitsyscall runtime.exitsyscall
func exitsyscall()
