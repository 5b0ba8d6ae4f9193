//go:build linux && (amd64 || arm64)

package launch

import (
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

	// With errands: see attend.
	asked uint32 // the number of the errand that the child waits for
	done  uint32 // the number of the last one that was done, and an errno

	// With a step init: see the phases.
	nest      uintptr // where the list goes on in the nested child, or 0
	total     uintptr // the end of what the child itself does meanwhile
	initStep  uintptr // not 0 once it has begun with that
	nestErrno uintptr
	nestFlags uintptr // what the nested child is cloned with
	nestStack uintptr // the top of its stack
	nestPid   uintptr // what the clone returned
	nestTid   uint32  // 0 before the nested child is there and once it has left this memory
}

// The phases of a child with a step init. The child walks up to it; then, in the
// assembly, it clones the nested child, and from then on there are two. The
// child walks what is left for it, the exec of process 1's program, by which it
// leaves this memory. The nested child walks on from the step, and waits before
// its exec until process 1 says that it is ready: so the program never runs
// beside a process 1 that has the keeper's memory.
const (
	phaseChild  = iota // the child, up to the step
	phaseNested        // the nested child
	phaseInit          // the child again
)

// reset makes ops the list to walk.
//
//go:nocheckptr
func (s *state) reset(ops []op, p *Progress) {
	// The list is never longer than its array: lower checks that.
	s.ops = (*[maxOps]op)(unsafe.Pointer(unsafe.SliceData(ops)))
	s.n, s.nest = uintptr(len(ops)), 0
	if len(s.mem) < len(ops) {
		s.mem = make([]uintptr, max(len(ops), 64))
	}
	s.res = (*[maxOps]uintptr)(unsafe.Pointer(unsafe.SliceData(s.mem)))
	s.step, s.abort, s.errno = &p.step, &p.abort, 0
	s.initStep, s.nestErrno, s.nestTid = 0, 0, 0
	atomic.StoreUintptr(&p.step, 0)
}

// split says where in the list the nested child's part begins and the child's
// last part, and on which stack it runs. The kernel keeps nestTid.
func (s *state) split(nest, after int, stack uintptr) {
	s.total, s.n, s.nest = s.n, uintptr(after), uintptr(nest)
	s.nestFlags, s.nestStack = unix.CLONE_VM|unix.CLONE_PARENT_SETTID|unix.CLONE_CHILD_CLEARTID|uintptr(unix.SIGCHLD), stack
}

// walk is all that a child does. It runs on the child's own stack, in the
// parent's memory, with every signal blocked. It must not allocate, grow its
// stack, or write a pointer. (Under the race detector package sync/atomic is
// made of calls, so the step is a plain store.) It returns when a nested child is
// to be cloned, and is called again in each of both.
//
//go:nosplit
//go:norace
//go:nocheckptr
func walk(s *state, phase uintptr) {
	switch {
	case phase == phaseNested:
		run(s, s.nest, s.n, s.step, &s.nestErrno)
	case phase == phaseInit && s.nestPid > ^uintptr(4095):
		s.errno = -s.nestPid
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

// run walks a part of the list, and leaves in step and errno how far it came. It
// reports whether all of it was done.
//
//go:nosplit
//go:norace
//go:nocheckptr
func run(s *state, i, end uintptr, step, errno *uintptr) bool {
	for ; i < end; i++ {
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
		r, _, e := syscall.RawSyscall6(o.nr, a0, a1, a2, a3, a4, a5)
		if e == 0 && o.chk && r != o.want {
			e = syscall.Errno(o.fail)
		}
		if e != 0 {
			*errno = uintptr(e)
			return false
		}
		s.res[i] = r
	}
	return true
}

// sigset is the kernel's set of signals.
type sigset uint64

// vfork makes the clone call nr with its arguments and lets the child walk.
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
	if s.nest != 0 && r <= ^uintptr(4095) {
		awaitNested(r, s)
	}
	syscall.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&old)), 0, unsafe.Sizeof(old), 0, 0)
	exitsyscall()
	return r
}

// lookTime is how often the launching thread looks whether there is still
// something to wait for. The kernel says when a nested child has left the memory,
// save for one that ends with a core dump before Linux 5.16.
const lookTime = 1 // seconds

// awaitNested waits until the nested child of the child pid is out of the shared
// memory, as vfork has waited for the child itself. When process 1 has ended, which
// nobody has reaped, the kernel has ended everything in its namespace.
//
//go:nosplit
//go:norace
//go:nocheckptr
func awaitNested(pid uintptr, s *state) {
	const futexWait = 0 // FUTEX_WAIT: the kernel's own wake-up is not a private one
	for {
		tid := s.nestTid
		if tid == 0 {
			return
		}
		ts := unix.Timespec{Sec: lookTime}
		_, _, e := syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&s.nestTid)), futexWait, uintptr(tid), uintptr(unsafe.Pointer(&ts)), 0, 0)
		if e != unix.ETIMEDOUT {
			continue
		}
		var info [16]uint64 // siginfo_t: all 0 when the child has not ended
		const how = unix.WEXITED | unix.WNOHANG | unix.WNOWAIT
		_, _, e = syscall.RawSyscall6(unix.SYS_WAITID, unix.P_PID, pid, uintptr(unsafe.Pointer(&info)), how, 0, 0)
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
