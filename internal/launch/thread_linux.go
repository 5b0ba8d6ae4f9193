//go:build linux && (amd64 || arm64)

package launch

import (
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// stackSize is the size of the child's stack. The walk needs a few hundred
// bytes; the rest is so that nobody has to count.
const stackSize = 64 << 10

// A Thread launches children, one at a time. Its goroutine must be locked to
// an operating system thread that lives as long as the children should:
// PR_SET_PDEATHSIG is bound to the thread that cloned them.
type Thread struct {
	Progress

	state   *state
	stacks  []byte // mapped: one for each process, with a guard page below; unmapped by Close
	build   builder
	program int       // of process 1, a memfd; 0 before it is needed
	args    cloneArgs // clone3 reads it
	pidfd   int32     // clone3 writes it
	parent  int
	parked  parked
}

// NewThread returns a Thread, whose stack for children it maps.
func NewThread() (*Thread, error) {
	page := os.Getpagesize()
	m, err := unix.Mmap(-1, 0, stackCount*(page+stackSize), unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return nil, os.NewSyscallError("mmap", err)
	}
	for i := range stackCount {
		if err := unix.Mprotect(m[i*(page+stackSize)+page:][:stackSize], unix.PROT_READ|unix.PROT_WRITE); err != nil {
			unix.Munmap(m)
			return nil, os.NewSyscallError("mprotect", err)
		}
	}
	t := &Thread{state: new(state), stacks: m, parent: os.Getpid()}
	t.build.pid = uintptr(unsafe.Pointer(&t.pid))
	return t, nil
}

// stackCount is how many stacks a thread needs: for the child and for its child.
const stackCount = 2

// stackOf returns the address of stack i.
func (t *Thread) stackOf(i int) uint64 {
	page := os.Getpagesize()
	return uint64(uintptr(unsafe.Pointer(&t.stacks[i*(page+stackSize)+page])))
}

// Close unmaps the stacks. No launch may be under way.
func (t *Thread) Close() error {
	if t.program != 0 {
		unix.Close(t.program)
	}
	t.Unpark()
	return unix.Munmap(t.stacks)
}

// Launch clones a child and returns when it has become the program, or has
// failed to. The error is a *spawn.Error that names the step; Child.Pid, when
// not 0, is then a process that is gone, or about to be, and has not been reaped.
func (t *Thread) Launch(r *Request) (Child, error) {
	none := Child{Pidfd: -1}
	if err := checkRequest(r); err != nil {
		return none, err
	}
	child, err := t.launch(r, true)
	if errno, ok := err.(cloneErrno); ok && errno.unknown() && classic(r.Plan) {
		child, err = t.launch(r, false)
	}
	if errno, ok := err.(cloneErrno); ok {
		return none, stepError(r, 0, syscall.Errno(errno))
	}
	return child, err
}

// classic reports whether clone(2) can express the plan's clone: it takes no
// cgroup, and the flags that share their bits with the exit signal are lost.
func classic(p *spawn.Plan) bool {
	return len(p.Steps[0].Args) == 1 && p.Steps[0].Args[0].Num&exitSignalBits == 0
}

// exitSignalBits is CSIGNAL.
const exitSignalBits = 0xff

// cloneErrno is the failure of the clone itself.
type cloneErrno syscall.Errno

func (e cloneErrno) Error() string { return syscall.Errno(e).Error() }

// unknown reports whether the call itself is refused: by a kernel before 5.3,
// by one before 5.5 (CLONE_CLEAR_SIGHAND), or by a filter.
func (e cloneErrno) unknown() bool {
	return e == cloneErrno(syscall.ENOSYS) || e == cloneErrno(syscall.EINVAL) || e == cloneErrno(syscall.EPERM)
}

func (t *Thread) launch(r *Request, modern bool) (Child, error) {
	i := hasInit(r.Plan)
	if i == 0 {
		return t.launchPlan(r, modern)
	}
	record, release, err := t.prepareInit()
	if err != nil {
		e := stepError(r, i, 0)
		e.Err = err
		return Child{Pidfd: -1}, e
	}
	defer release()
	child, err := t.launchPlan(r, modern)
	if err != nil {
		unix.Close(record)
		return child, err
	}
	child.Record = ready(record)
	return child, nil
}

// ready makes the end to read of a pipe of records what its reader needs: when
// process 1 has ended he waits for nothing.
func ready(record int) int {
	if err := unix.SetNonblock(record, true); err != nil {
		panic(err) // it has just been opened
	}
	return record
}

func (t *Thread) launchPlan(r *Request, modern bool) (Child, error) {
	none := Child{Pidfd: -1}
	flags := uint64(r.Plan.Steps[0].Args[0].Num)
	defer t.build.drop()
	if err := t.build.lower(r, t.parent, flags, modern); err != nil {
		return none, err
	}
	t.state.reset(t.build.ops, &t.Progress)
	t.splitState()
	dismiss := t.attend()
	pid, errno := t.clone(r, flags, modern)
	dismiss()
	if errno != 0 {
		t.pid.Store(0)
		return none, cloneErrno(errno)
	}
	pidfd := int(t.pidfd)
	if !modern {
		pidfd = pidfdOf(pid)
	}
	return t.born(r, pid, pidfd)
}

// splitState tells the state of the nested child, if there is to be one.
func (t *Thread) splitState() {
	if b := &t.build; b.nest > 0 {
		t.state.split(b.nest, b.after, uintptr(t.stackOf(1))+stackSize)
	}
}

// born returns the child that has become its program, or failed to.
func (t *Thread) born(r *Request, pid, pidfd int) (Child, error) {
	defer runtime.KeepAlive(r)
	if err := t.outcome(r); err != nil {
		if pidfd >= 0 {
			unix.Close(pidfd)
		}
		if t.build.nest > 0 { // process 1 may be its program already
			syscall.Kill(pid, syscall.SIGKILL)
		}
		return Child{Pid: pid, Pidfd: -1}, err
	}
	return Child{Pid: pid, Pidfd: pidfd}, nil
}

// Probe makes a child that ends at once, which the caller's waiter reaps, to see
// whether a thread could be had in its place: both count against the same limit,
// RLIMIT_NPROC. The calling goroutine need not be locked.
func (t *Thread) Probe() (pid int, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	t.state.reset(nil, &t.Progress)
	r := &Request{Plan: &spawn.Plan{Steps: []spawn.Step{spawn.Clone(0)}}}
	pid, errno := t.clone(r, 0, false)
	t.Done()
	if errno != 0 {
		return 0, os.NewSyscallError("clone", errno)
	}
	return pid, nil
}

// Done ends what Progress says of the last launch. Until then the child's pid
// can be seen there, so that nobody mistakes it for a stranger.
func (t *Thread) Done() { t.pid.Store(0) }

// outcome reads what the child left in the shared memory, and its child.
func (t *Thread) outcome(r *Request) error {
	step, last, s := t.Step(), len(r.Plan.Steps)-1, t.state
	switch {
	case s.nestErrno != 0:
		return stepError(r, step, syscall.Errno(s.nestErrno))
	case s.errno != 0 && s.initStep != 0:
		return stepError(r, hasInit(r.Plan), syscall.Errno(s.errno))
	case s.errno != 0:
		return stepError(r, step, syscall.Errno(s.errno))
	case step != last:
		e := stepError(r, step, 0)
		e.Kind, e.Msg = spawn.ErrCanceled, "the child was killed at this step"
		return e
	}
	return nil
}

// clone makes the child. It returns when the child has given the memory back, and
// its child has.
func (t *Thread) clone(r *Request, flags uint64, modern bool) (pid int, errno syscall.Errno) {
	b := &t.build
	flags |= unix.CLONE_VFORK
	t.pidfd = -1
	var res uintptr
	if modern {
		t.args = t.cloneArgs(flags | unix.CLONE_PIDFD)
		t.args.exitSignal = uint64(unix.SIGCHLD)
		if a := r.Plan.Steps[0].Args; len(a) > 1 {
			t.args.flags |= unix.CLONE_INTO_CGROUP
			t.args.cgroup = uint64(b.cgroup(r, a[1]))
		}
		res = vfork(unix.SYS_CLONE3, uintptr(unsafe.Pointer(&t.args)), unsafe.Sizeof(t.args), 0, t.state)
	} else {
		flags |= unix.CLONE_VM | unix.CLONE_PARENT_SETTID
		res = vfork(unix.SYS_CLONE, uintptr(flags)|uintptr(unix.SIGCHLD), uintptr(t.stackOf(0))+stackSize, uintptr(unsafe.Pointer(&t.pid)), t.state)
	}
	if res > ^uintptr(4095) {
		return 0, syscall.Errno(-res)
	}
	return int(res), 0
}

// cloneArgs returns what every clone3 here has in common.
func (t *Thread) cloneArgs(flags uint64) cloneArgs {
	return cloneArgs{
		flags:     flags | unix.CLONE_VM | unix.CLONE_PARENT_SETTID | unix.CLONE_CLEAR_SIGHAND,
		pidfd:     uint64(uintptr(unsafe.Pointer(&t.pidfd))),
		parentTID: uint64(uintptr(unsafe.Pointer(&t.pid))),
		stack:     t.stackOf(0),
		stackSize: stackSize,
	}
}

// cgroup returns the descriptor of the cgroup to clone into.
func (b *builder) cgroup(r *Request, a spawn.Arg) int {
	if a.Kind == spawn.ArgFD {
		return b.fds[a.Num]
	}
	folder := 0
	for _, s := range r.Plan.Steps[:a.Num] {
		if s.Op == spawn.OpFolder {
			folder++
		}
	}
	return b.folders[folder]
}

// cloneArgs is struct clone_args of clone3(2), as of Linux 5.7.
type cloneArgs struct {
	flags, pidfd, childTID, parentTID, exitSignal uint64
	stack, stackSize, tls, setTID, setTIDSize     uint64
	cgroup                                        uint64
}

// pidfdOf opens a pidfd of a child that has not been reaped, or returns -1.
func pidfdOf(pid int) int {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return -1
	}
	return fd
}

// cloneFlags are the flags that a plan may ask for.
const cloneFlags = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC |
	unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWTIME
