//go:build linux && (amd64 || arm64)

package launch

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// A builder lays a plan out as a list of system calls. Its memory is used
// again for the next launch; nothing in it moves while a launch is under way.
type builder struct {
	ops      []op
	chunks   [][]byte    // C strings and structures; the first is kept
	used     int         // of the last chunk
	ptrs     [][]uintptr // argument and environment vectors
	opOf     []int       // the index of the op that yields a step's result; firstFolder and below are folders
	fds      []int       // Request.FDs, Folders, Files and Null, out of the way of the
	folders  []int       // numbers that the plan hands out
	files    []File      //
	null     [2]int      // /dev/null, to read and to write
	folder   int         // what stands for the next folder in opOf
	top      int         // the highest number that the plan hands out
	lastFile int         // the last step that hands one out
	copies   []int       // descriptors of ours among them
	errands  []errand    // what the child will wait for
	nest     int         // where the part of a nested child begins, or 0
	after    int         // where it ends
	program  int         // of pid 1, a memfd
	told     int         // the pipe that it has: where it is read, or -1 when it is known to be ready
	record   int         // and where it writes
	socket   int         // by which a parked child is handed its descriptors,
	parcel   uintptr     // and where it has them put, a struct msghdr
	self     int         // Request.Self, out of the way as well
	caps     int         // how many capabilities this kernel has; 0 when nobody has asked
	pid      uintptr     // where the clone puts the child's id before the child runs
}

// firstFolder stands in opOf for the first of Request.Folders.
const firstFolder = -2

// chunkSize is what one launch usually needs for its strings.
const chunkSize = 64 << 10

// renew begins a new list.
func (b *builder) renew() {
	b.ops, b.used, b.opOf, b.nest, b.folder, b.errands = b.ops[:0], 0, b.opOf[:0], 0, firstFolder, nil
	if b.chunks == nil {
		b.chunks = [][]byte{make([]byte, chunkSize)}
		b.ops = make([]op, 0, 64)
	}
}

func (b *builder) lower(r *Request, parent int, flags uint64, modern bool) error {
	b.renew()
	if err := b.raise(r); err != nil {
		return err
	}
	b.tether(0, parent, flags)
	if !modern {
		b.resetHandlers()
	}
	if err := b.steps(r, 1, len(r.Plan.Steps), parent, flags); err != nil {
		return err
	}
	b.processOne(r)
	return nil
}

// steps lowers the steps from first up to end.
func (b *builder) steps(r *Request, first, end, parent int, flags uint64) error {
	last := -1
	if ownFiles(r.Plan) && end == len(r.Plan.Steps) { // who parks keeps none anyway
		last = lastFD(r.Plan)
	}
	for i := first; i < end; i++ {
		b.opOf = append(b.opOf, -1)
		b.step(r, i, parent, flags)
		if changesIdentity(r.Plan.Steps[i].Op) {
			b.tether(i, parent, flags)
		}
		if i == last {
			b.giveUp(r, i)
		}
		if len(b.ops) > maxOps-initOps { // at once: one step may stand for hundreds
			return badPlan(r.Plan, i, "with it the plan takes %d system calls: at most %d are allowed", len(b.ops), maxOps-initOps)
		}
	}
	return nil
}

// processOne lowers what the child does that becomes process 1, if there is one.
func (b *builder) processOne(r *Request) {
	b.after = len(b.ops)
	if b.nest > 0 {
		b.untether(r, hasInit(r.Plan))
		b.becomeInit(hasInit(r.Plan))
	}
}

func (b *builder) step(r *Request, i, parent int, flags uint64) {
	s := r.Plan.Steps[i]
	num := func(n int) uintptr { return uintptr(s.Args[n].Num) }
	call := func(nr uintptr, args ...uintptr) *op { return b.call(i, nr, args...) }
	switch s.Op {
	case spawn.OpSetsid:
		call(unix.SYS_SETSID)
	case spawn.OpSetpgid:
		call(unix.SYS_SETPGID, 0, num(0))
	case spawn.OpTerminal:
		call(unix.SYS_IOCTL, num(0), unix.TIOCSCTTY, 0)
	case spawn.OpForeground:
		call(unix.SYS_IOCTL, num(0), unix.TIOCSPGRP, b.group(num(1), flags))
	case spawn.OpUmask:
		call(unix.SYS_UMASK, num(0))
	case spawn.OpPriority:
		call(unix.SYS_SETPRIORITY, unix.PRIO_PROCESS, 0, num(0))
	case spawn.OpAffinity:
		call(unix.SYS_SCHED_SETAFFINITY, 0, uintptr(len(s.Args[0].Str)), b.str(s.Args[0].Str))
	case spawn.OpInit:
		b.init(i)
	case spawn.OpFolder:
		b.opOf[i-1] = b.folder
		b.folder--
	case spawn.OpWatch, spawn.OpWall, spawn.OpPark: // the child knows nothing of it
	case spawn.OpLimit:
		call(unix.SYS_PRLIMIT64, 0, num(0), b.limit(num(1), num(2)), 0)
	case spawn.OpSetgroups:
		call(unix.SYS_SETGROUPS, uintptr(len(s.Args)), b.ids(s.Args))
	case spawn.OpSetresgid:
		call(unix.SYS_SETRESGID, num(0), num(0), num(0))
	case spawn.OpSetresuid:
		call(unix.SYS_SETRESUID, num(0), num(0), num(0))
	case spawn.OpNoNewPrivs:
		call(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1)
	case spawn.OpPdeathsig:
		call(unix.SYS_PRCTL, unix.PR_SET_PDEATHSIG, num(0))
		b.sameParent(i, parent, flags)
	case spawn.OpIgnore:
		call(unix.SYS_RT_SIGACTION, num(0), b.sigaction(1), 0, unsafe.Sizeof(sigset(0)))
	case spawn.OpChdir:
		call(unix.SYS_CHDIR, b.str(r.text(s.Args[0])))
	case spawn.OpChroot:
		call(unix.SYS_CHROOT, b.str(r.text(s.Args[0])))
	case spawn.OpFchdir:
		b.fd(call(unix.SYS_FCHDIR), 0, s.Args[0])
	case spawn.OpClose:
		b.fd(call(unix.SYS_CLOSE), 0, s.Args[0])
	case spawn.OpOpen:
		at := unix.AT_FDCWD
		call(unix.SYS_OPENAT, uintptr(at), b.str(r.text(s.Args[0])), num(1)|unix.O_CLOEXEC, num(2))
		b.result(i)
	case spawn.OpWrite:
		n := uintptr(len(s.Args[1].Str))
		o := call(unix.SYS_WRITE, 0, b.str(s.Args[1].Str), n)
		o.chk, o.want, o.fail = true, n, uintptr(syscall.EIO)
		b.fd(o, 0, s.Args[0])
	case spawn.OpDup:
		b.dup(i, s.Args[0], num(1))
	case spawn.OpFiles:
		b.putFiles(r, i)
	case spawn.OpExec, spawn.OpExecFD:
		b.exec(r, i)
	default:
		b.confine(r, i)
	}
}

// call appends a system call and returns it for adjustment.
func (b *builder) call(step int, nr uintptr, args ...uintptr) *op {
	b.ops = append(b.ops, op{nr: nr, step: uintptr(step)})
	o := &b.ops[len(b.ops)-1]
	copy(o.args[:], args)
	return o
}

// fd makes argument n of o the descriptor that a stands for.
func (b *builder) fd(o *op, n int, a spawn.Arg) {
	switch a.Kind {
	case spawn.ArgResult:
		if at := b.opOf[a.Num-1]; at <= firstFolder {
			o.args[n] = uintptr(b.folders[firstFolder-at])
			return
		}
		o.args[n], o.refs = uintptr(b.opOf[a.Num-1]), o.refs|1<<n
	case spawn.ArgFD:
		o.args[n] = uintptr(b.fds[a.Num])
	default: // the working directory
		o.args[n] = uintptr(a.Num)
	}
}

// result makes what the last call returned, a descriptor, the result of step i.
// When numbers are yet to be handed out to the child it is lifted above them,
// like the descriptors that came with the request.
func (b *builder) result(i int) {
	opened := uintptr(len(b.ops) - 1)
	b.opOf[i-1] = int(opened)
	if i > b.lastFile {
		return
	}
	b.opOf[i-1]++
	b.call(i, unix.SYS_FCNTL, opened, unix.F_DUPFD_CLOEXEC, uintptr(b.top+1)).refs = 1
	b.call(i, unix.SYS_CLOSE, opened).refs = 1
}

// dup makes a descriptor the child's number to. No dup overwrites the source
// of another: raise saw to that.
func (b *builder) dup(i int, from spawn.Arg, to uintptr) {
	b.fd(b.call(i, unix.SYS_DUP3, 0, to, 0), 0, from)
}

// putFiles emits the dups of the files step.
func (b *builder) putFiles(r *Request, i int) {
	set := [3]bool{}
	for _, f := range b.files {
		b.dupNumber(i, f.FD, f.Number)
		if f.Number < len(set) {
			set[f.Number] = true
		}
	}
	own := opensNull(r.Plan)
	for n, ok := range set {
		if !ok {
			b.dupNumber(i, b.null[min(n, 1)], n)
			if own {
				b.ownNull(i, n)
			}
		}
	}
}

func (b *builder) dupNumber(i, from, to int) {
	b.call(i, unix.SYS_DUP3, uintptr(from), uintptr(to), 0)
}

// exec clears the signal mask and replaces the process, which waits before that
// for its process 1 if it has one.
func (b *builder) exec(r *Request, i int) {
	s := r.Plan.Steps[i]
	if b.nest > 0 && b.told >= 0 { // before anything that counts as this step
		b.awaitInit(hasInit(r.Plan))
	}
	b.untether(r, i)
	argv, envp := b.vector(r.Args), b.vector(r.Env)
	none := b.bytes(int(unsafe.Sizeof(sigset(0))))
	b.call(i, unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, pointer(none), 0, unsafe.Sizeof(sigset(0)))
	if s.Op == spawn.OpExec {
		b.call(i, unix.SYS_EXECVE, b.str(r.text(s.Args[0])), argv, envp)
		return
	}
	b.fd(b.call(i, unix.SYS_EXECVEAT, 0, b.str(""), argv, envp, unix.AT_EMPTY_PATH), 0, s.Args[0])
}

// resetHandlers gives every signal its default action: what
// CLONE_CLEAR_SIGHAND does where it exists.
func (b *builder) resetHandlers() {
	dfl := b.sigaction(0)
	for sig := uintptr(1); sig <= 64; sig++ {
		if sig != uintptr(unix.SIGKILL) && sig != uintptr(unix.SIGSTOP) {
			b.call(0, unix.SYS_RT_SIGACTION, sig, dfl, 0, unsafe.Sizeof(sigset(0)))
		}
	}
}
