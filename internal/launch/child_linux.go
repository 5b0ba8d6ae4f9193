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

// state is the memory that parent and child share during the vfork. The field
// names of a nested child's part are known to the assembly.
type state struct {
	ops   *[maxOps]op
	n     uintptr  // the end of the child's list, and of its child's
	step  *uintptr // Progress.step
	errno uintptr
	abort *uintptr         // Progress.abort
	res   *[maxOps]uintptr // as long as ops
	mem   []uintptr        // what res points to

	// With a step init: see nest.
	nest      uintptr // where the list goes on in the nested child, or 0
	total     uintptr // the end of what the child itself does afterwards
	last      uintptr // the step at which the nested child becomes the program
	phase     uintptr // of nest
	nestFlags uintptr // what the nested child is cloned with
	nestStack uintptr // the top of its stack
	nestPid   uintptr // what the clone returned
}

// The phases of a child with a step init. The child walks up to it; then, in the
// assembly, it clones the nested child, which walks on from there to its exec
// while the child waits, as the parent does for the child; then the child walks
// what is left for it, the exec of pid 1's program.
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
	s.n, s.nest, s.phase = uintptr(len(ops)), 0, phaseChild
	if len(s.mem) < len(ops) {
		s.mem = make([]uintptr, max(len(ops), 64))
	}
	s.res = (*[maxOps]uintptr)(unsafe.Pointer(unsafe.SliceData(s.mem)))
	s.step, s.abort, s.errno = &p.step, &p.abort, 0
	atomic.StoreUintptr(&p.step, 0)
}

// split says where in the list the nested child's part begins and the child's
// last part, and where on which stack it runs.
func (s *state) split(nest, after, last int, stack uintptr) {
	s.total, s.n, s.nest = s.n, uintptr(after), uintptr(nest)
	s.last = uintptr(last)
	s.nestFlags, s.nestStack = unix.CLONE_VM|unix.CLONE_VFORK|uintptr(unix.SIGCHLD), stack
}

// walk is all that the child does. It runs on the child's own stack, in the
// parent's memory, with every signal blocked. It must not allocate, grow its
// stack, or write a pointer. (Under the race detector package sync/atomic is
// made of calls, so the step is a plain store.) It returns when a nested child is
// to be cloned, and then once in each of both.
//
//go:nosplit
//go:norace
//go:nocheckptr
func walk(s *state) {
	i, end := uintptr(0), s.n
	switch {
	case s.phase == phaseNested:
		i = s.nest
	case s.phase == phaseInit:
		i, end = s.n, s.total
		if s.errno == 0 && s.nestPid > ^uintptr(4095) {
			s.errno = -s.nestPid
		}
		if s.errno == 0 && *s.step != s.last {
			s.errno = uintptr(unix.ECANCELED) // it was killed on its way
		}
	case s.nest != 0:
		end = s.nest
	}
	if s.errno == 0 && run(s, i, end) && s.phase == phaseChild && s.nest != 0 {
		return
	}
	for {
		syscall.RawSyscall(unix.SYS_EXIT_GROUP, 127, 0, 0)
	}
}

// run walks a part of the list. It reports whether all of it was done.
//
//go:nosplit
//go:norace
//go:nocheckptr
func run(s *state, i, end uintptr) bool {
	for ; i < end; i++ {
		o := &s.ops[i]
		*s.step = o.step
		if *s.abort != 0 {
			s.errno = uintptr(unix.ECANCELED)
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
		r, _, e := syscall.RawSyscall6(o.nr, a0, a1, a2, a3, a4, a5)
		if e == 0 && o.chk && r != o.want {
			e = syscall.Errno(o.fail)
		}
		if e != 0 {
			s.errno = uintptr(e)
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
	syscall.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&old)), 0, unsafe.Sizeof(old), 0, 0)
	exitsyscall()
	return r
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
