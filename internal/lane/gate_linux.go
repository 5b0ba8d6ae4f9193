package lane

import (
	"os"
	"syscall"
	"time"
	"unsafe"
)

// A gate lets goroutines wait for a descriptor in the runtime's poller, and
// keeps the poller from being woken while they do not: an epoll instance that
// watches the one descriptor, and is itself watched by the runtime.
type gate struct {
	file    *os.File
	raw     syscall.RawConn
	epoll   int // of file
	watched int
	events  uint32
}

// openGate makes a gate for events, which is shut.
func openGate(fd int, events uint32) (*gate, error) {
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	g := &gate{epoll: epoll, watched: fd, events: events}
	err = syscall.EpollCtl(epoll, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{})
	if err == nil {
		err = syscall.SetNonblock(epoll, true) // so that the runtime watches it
	}
	if err != nil {
		syscall.Close(epoll)
		return nil, os.NewSyscallError("epoll_ctl", err)
	}
	g.file = os.NewFile(uintptr(epoll), "gate")
	if g.raw, err = g.file.SyscallConn(); err != nil {
		g.file.Close()
		return nil, err
	}
	return g, nil
}

// open lets the poller be woken, at once if there is something already. It
// cannot fail: it allocates nothing, as adding the descriptor anew would.
func (g *gate) open() {
	// The kernel tells of what is there already only when the descriptor is not
	// on the list of those that were found ready, where one stays that was read
	// since. A look takes it off.
	epollLook(g.epoll)
	epollModify(g.epoll, g.watched, g.events)
}

// shut ends that. The end of the peer still comes through.
func (g *gate) shut() { epollModify(g.epoll, g.watched, 0) }

// wait waits until f returns true. f is called at first, and when something has
// come through the open gate.
func (g *gate) wait(f func(fd uintptr) bool) error { return g.raw.Read(f) }

// setDeadline ends every wait from t on.
func (g *gate) setDeadline(t time.Time) error { return g.file.SetReadDeadline(t) }

func (g *gate) close() { g.file.Close() }

// gates says that there are gates on this system.
const gates = true

// epollLook is epoll_wait(2) without waiting.
func epollLook(epoll int) {
	var found syscall.EpollEvent
	syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, uintptr(epoll), uintptr(unsafe.Pointer(&found)), 1, 0, 0, 0)
}

// epollModify is epoll_ctl(2) for a descriptor that is watched.
func epollModify(epoll, fd int, events uint32) {
	e := syscall.EpollEvent{Events: events}
	syscall.RawSyscall6(syscall.SYS_EPOLL_CTL, uintptr(epoll), syscall.EPOLL_CTL_MOD, uintptr(fd), uintptr(unsafe.Pointer(&e)), 0, 0)
}

// openGates prepares a Conn of mode Gated.
func (c *conn) openGates() error {
	in, err := openGate(c.fd, syscall.EPOLLIN|syscall.EPOLLRDHUP)
	if err != nil {
		return err
	}
	out, err := openGate(c.fd, syscall.EPOLLOUT)
	if err != nil {
		in.close()
		return err
	}
	in.open()
	c.in, c.out = in, out
	return nil
}
