//go:build linux && (amd64 || arm64)

package launch

import (
	"runtime"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/hatchery-spawn/hatchery/internal/linux"
)

// A parked child has done the steps of its plan up to the step park, and waits in
// this process's memory for the rest of them. Its process 1 is its program already,
// so nothing is suspended meanwhile: neither this thread nor another.
//
// It waits for a message, with which its descriptors come: it was born before
// they were there. Until then it has no descriptor but the socket, so it holds
// nobody's pipe open, and when this process is gone, however that comes, it is
// told so by the socket and by the end of its process 1.
type parked struct {
	at            int // the step park; 0 when there is no child
	pidfd, record int
	socket        int
	held          []int // see Child.Held
}

const (
	// parkRoom is how many system calls there is room for behind the step park: the
	// list cannot move while somebody walks it.
	parkRoom = 512
	// maxParcel is how many descriptors one message carries.
	maxParcel = 250
)

// No system calls: settleCall says that the child waits now, forgetCall takes away
// the signals that have been sent to it, gateCall waits until it may be what it is to be.
const (
	settleCall = ^uintptr(2)
	forgetCall = ^uintptr(3)
	gateCall   = ^uintptr(4)
)

// A parcel is where the kernel puts what a parked child is handed.
type parcel struct {
	msg     unix.Msghdr
	iov     unix.Iovec
	data    [8]byte
	control [maxParcel*4 + unix.SizeofCmsghdr + 8]byte
}

// prepare returns the address of what recvmsg(2) takes.
func (p *parcel) prepare() uintptr {
	p.iov = unix.Iovec{Base: &p.data[0]}
	p.iov.SetLen(len(p.data))
	p.msg = unix.Msghdr{Iov: &p.iov, Control: &p.control[0]}
	p.msg.SetIovlen(1)
	p.msg.SetControllen(len(p.control))
	return uintptr(unsafe.Pointer(&p.msg))
}

// Park begins to launch a child by the plan of a request, which has a step park, and
// returns when it waits there. Of the request it is only the plan up to this step
// that counts, and the descriptors of this process. The caller reaps Child.Pid if it
// is not 0; the other fields are not set. The thread can launch nothing else before
// that child has become something by Become, or has been reaped, and Unpark been
// called. The goroutine that calls Become may be locked to another thread of the
// operating system: the child is bound to this one.
func (t *Thread) Park(r *Request) (Child, error) {
	none := Child{Pidfd: -1}
	if err := r.checkPlan(); err != nil {
		return none, err
	}
	at := ParkStep(r.Plan)
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return none, parkError(r, at, err)
	}
	defer unix.Close(pair[1])
	record, release, err := t.prepareInit()
	if err != nil {
		unix.Close(pair[0])
		return none, parkError(r, at, err)
	}
	defer release()
	t.build.socket, t.build.parcel = pair[1], t.state.parcel.prepare()
	t.parked = parked{at: at, pidfd: -1, record: record, socket: pair[0]}
	child, err := t.park(r)
	if err != nil {
		t.Unpark()
	}
	return child, err
}

func parkError(r *Request, at int, err error) error {
	e := stepError(r, at, 0)
	e.Err = err
	return e
}

func (t *Thread) park(r *Request) (Child, error) {
	flags := uint64(r.Plan.Steps[0].Args[0].Num)
	b, s := &t.build, t.state
	if err := b.lowerPark(r, t.parked.at, t.parent, flags); err != nil {
		return Child{Pidfd: -1}, err
	}
	s.reset(b.ops, &t.Progress)
	s.parks, s.moving, s.parked = true, 1, 0
	t.splitState()
	dismiss := t.attend()
	pid, errno := t.clone(r, flags, true)
	dismiss()
	b.closeCopies()
	if errno != 0 {
		t.pid.Store(0)
		return Child{Pidfd: -1}, stepError(r, 0, errno)
	}
	t.parked.pidfd = int(t.pidfd)
	if t.Step() == t.parked.at && s.errno == 0 && s.nestErrno == 0 {
		ready(t.parked.record)
		t.parked.held = hold(pid)
		return Child{Pid: pid, Pidfd: -1}, nil
	}
	t.leave(pid)
	err := t.outcome(r)
	return Child{Pid: pid, Pidfd: -1}, err
}

// hold opens the namespaces of a child that take longest to take apart, or as many of
// them as can be had.
func hold(pid int) (held []int) {
	for _, name := range [...]string{"mnt", "net", "ipc"} {
		if fd, err := unix.Open("/proc/"+strconv.Itoa(pid)+"/ns/"+name, unix.O_RDONLY|unix.O_CLOEXEC, 0); err == nil {
			held = append(held, fd)
		}
	}
	return held
}

// leave kills the child and waits until nobody is in this memory. One that was not
// parked has left it.
func (t *Thread) leave(pid int) {
	syscall.Kill(pid, syscall.SIGKILL)
	if t.state.parked != 0 {
		awaitNested(pid, t.state)
	}
}

// awaitNested waits until the nested child has left the memory. The scheduler sees a
// system call, as in vfork.
//
//go:nosplit
//go:norace
//go:nocheckptr
func awaitNested(pid int, s *state) {
	entersyscall()
	awaitTid(uintptr(pid), &s.nestTid, lookTime)
	exitsyscall()
}

// handTime is for how long a launching thread looks itself whether the child that it has
// handed over is its program. To be woken takes longer, on a processor that has gone to
// sleep meanwhile much longer.
const handTime = 200 * time.Microsecond

// lookForNested looks whether the nested child has left the memory, at most for a time.
func (s *state) lookForNested(limit time.Duration) {
	if runtime.NumCPU() == 1 {
		return
	}
	for begin := time.Now(); atomic.LoadUint32(&s.nestTid) != 0 && time.Since(begin) < limit; {
		linux.Yield()
	}
}

// Become hands a parked child over: it becomes what r asks for, whose plan begins
// with the same steps up to the step park. It returns as Launch does. Meanwhile still is
// called: it says whether the child is as one would be that is made now, and sets
// r.Umask. When it is not, or is not there any more, or cannot take what it is to have,
// there is false, and nothing has come of r: the caller launches another one, and reaps
// this one, which is gone or about to be, all the same. Of one that was there Unpark is
// called afterwards.
func (t *Thread) Become(r *Request, still func() bool) (child Child, there bool, err error) {
	p, s, pid := t.parked, t.state, t.Pid()
	defer func() {
		if !there {
			t.Unpark()
		}
	}()
	if err := checkRequest(r); err != nil || *s.abort != 0 || t.hand(r) != nil {
		t.leave(pid)
		return Child{Pidfd: -1}, false, nil
	}
	if still() {
		s.setGate(gateOpen | uint32(r.Umask))
	} else {
		s.setGate(gateShut)
	}
	s.lookForNested(handTime)
	awaitNested(pid, s)
	if t.Step() == p.at { // it has not begun with anything of r
		t.leave(pid)
		return Child{Pidfd: -1}, false, nil
	}
	t.parked.pidfd = -1
	if child, err = t.born(r, pid, p.pidfd); err == nil {
		t.parked.record, t.parked.held = -1, nil
		child.Record, child.Held = p.record, p.held
	}
	return child, true, err
}

// hand lays out the rest of the list and sends it off.
func (t *Thread) hand(r *Request) error {
	b, s := &t.build, t.state
	first := len(b.ops)
	fds, err := b.lowerRest(r, t.parked.at, t.parent)
	if err != nil {
		return err
	}
	if unsafe.Pointer(unsafe.SliceData(b.ops)) != unsafe.Pointer(s.ops) || len(fds) > maxParcel {
		return syscall.E2BIG // there was no room for it
	}
	s.more, s.end, s.gate = uintptr(first), uintptr(len(b.ops)), 0
	return unix.Sendmsg(t.parked.socket, []byte{0}, unix.UnixRights(fds...), nil, unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT)
}

// Unpark lets go of what is kept for a parked child that has been reaped, or has become
// something. Without one it does nothing.
func (t *Thread) Unpark() {
	p := t.parked
	if p.at == 0 {
		return
	}
	for _, fd := range append(p.held, p.pidfd, p.record, p.socket) {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
	t.parked = parked{}
	t.build.drop()
}

// lowerPark lowers the steps up to the step park, and the wait there.
func (b *builder) lowerPark(r *Request, at, parent int, flags uint64) error {
	b.renew()
	if err := b.raise(r); err != nil {
		return err
	}
	b.lastFile = 0 // nobody is handed a number yet
	b.tether(0, parent, flags)
	if err := b.steps(r, 1, at, parent, flags); err != nil {
		return err
	}
	b.awaitInit(hasInit(r.Plan))
	b.call(at, unix.SYS_DUP3, uintptr(b.socket), 0, unix.O_CLOEXEC)
	b.call(at, unix.SYS_CLOSE_RANGE, 1, uintptr(^uint32(0)), 0)
	b.call(at, settleCall)
	o := b.call(at, unix.SYS_RECVMSG, 0, b.parcel, unix.MSG_CMSG_CLOEXEC)
	o.chk, o.want, o.fail = true, 1, uintptr(syscall.ECANCELED)
	b.processOne(r)
	b.ops = slices.Grow(b.ops, parkRoom)
	return nil
}

// lowerRest lowers the steps behind the step park, for a child that is handed the
// descriptors it returns: they are its numbers from 1 on.
func (b *builder) lowerRest(r *Request, at, parent int) (fds []int, err error) {
	b.top, b.lastFile = numbers(r)
	add := func(fd int) int {
		fds = append(fds, fd)
		return len(fds)
	}
	b.fds, b.files = b.fds[:0], b.files[:0]
	for _, fd := range r.FDs {
		b.fds = append(b.fds, add(fd))
	}
	for _, f := range r.Files {
		b.files = append(b.files, File{f.Number, add(f.FD)})
	}
	b.null[0] = add(r.Null)
	b.null[1] = b.null[0]
	if r.NullOut != 0 {
		b.null[1] = add(r.NullOut)
	}
	b.self, b.told = 0, -1

	b.call(at, forgetCall, pointer(b.bytes(int(unsafe.Sizeof(unix.Timespec{})))))
	next := max(b.top, len(fds)) + 1
	above := func(fd int) int {
		if fd > b.top {
			return fd
		}
		o := b.call(at, unix.SYS_FCNTL, uintptr(fd), unix.F_DUPFD_CLOEXEC, uintptr(next))
		o.chk, o.want, o.fail = true, uintptr(next), uintptr(syscall.EMFILE)
		next++
		return next - 1
	}
	for i := range b.fds {
		b.fds[i] = above(b.fds[i])
	}
	for i := range b.files {
		b.files[i].FD = above(b.files[i].FD)
	}
	b.null[0], b.null[1] = above(b.null[0]), above(b.null[1])
	b.call(at, gateCall)
	b.opOf = append(b.opOf, -1)
	return fds, b.steps(r, at+1, len(r.Plan.Steps), parent, uint64(r.Plan.Steps[0].Args[0].Num))
}

// settle is the child's word that it waits, or that it has come no further. So far the
// kernel would have said so if it had been killed, from now on it says when the child
// has left the memory.
//
//go:nosplit
//go:norace
//go:nocheckptr
func (s *state) settle() {
	syscall.RawSyscall6(unix.SYS_SET_TID_ADDRESS, uintptr(unsafe.Pointer(&s.nestTid)), 0, 0, 0, 0, 0)
	s.parked, s.moving = 1, 0
	const sharedWake = 1 // FUTEX_WAKE: see awaitTid
	syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&s.moving)), sharedWake, 1, 0, 0, 0)
}

// forget takes away what signals the child has been sent, all of which are blocked.
//
//go:nosplit
//go:norace
//go:nocheckptr
func forget(now uintptr) {
	all := ^sigset(0)
	for {
		_, _, e := syscall.RawSyscall6(unix.SYS_RT_SIGTIMEDWAIT, uintptr(unsafe.Pointer(&all)), 0, now, unsafe.Sizeof(all), 0, 0)
		if e != 0 && e != unix.EINTR {
			return
		}
	}
}

// What a child is told at the gate. With gateOpen comes its umask.
const (
	gateOpen = 1 << 16
	gateShut = 1 << 17
)

// gateLooks is how often a child looks whether the gate has been opened, before it
// sleeps: who has handed it over is about to say so, and was only waiting for it to wake
// up.
const gateLooks = 50

// setGate tells the child whether it may go on.
func (s *state) setGate(word uint32) {
	atomic.StoreUint32(&s.gate, word)
	syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&s.gate)), futexWake, 1, 0, 0, 0)
}

// pass is the child's part. It goes on with the umask that it is to have.
//
//go:nosplit
//go:norace
//go:nocheckptr
func (s *state) pass() syscall.Errno {
	for looks := 0; ; looks++ {
		word := s.gate
		switch {
		case word&gateShut != 0 || *s.abort != 0:
			return unix.ECANCELED
		case word&gateOpen != 0:
			syscall.RawSyscall6(unix.SYS_UMASK, uintptr(word&0o777), 0, 0, 0, 0, 0)
			return 0
		case looks < gateLooks:
			syscall.RawSyscall6(unix.SYS_SCHED_YIELD, 0, 0, 0, 0, 0, 0)
		default: // a time that is over, and a change meanwhile, are no matter
			limit := unix.Timespec{Sec: 1}
			syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&s.gate)), futexWait, 0, uintptr(unsafe.Pointer(&limit)), 0, 0)
		}
	}
}
