//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package lane

import (
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// conn is a Conn on systems that pass descriptors over Unix sockets.
type conn struct {
	fd     int
	stream bool // SOCK_STREAM, not SOCK_SEQPACKET
	most   int  // the longest payload taken

	// For mode Polled; nil in mode Blocking. The file owns fd.
	file *os.File
	raw  syscall.RawConn

	in, out *gate // for mode Gated; nil in others

	// For modes Blocking and Gated: how many calls use fd, and whether it is closed. The
	// last one to leave closes it. A descriptor closed under a system call could
	// be reused meanwhile, and the call would read somebody else's messages.
	users atomic.Int64
	gone  chan struct{} // closed when fd is

	closed atomic.Bool // Close was called
	broken atomic.Bool // a stream that got garbage
	unread atomic.Bool // the peer closed without having read everything
	rd     reader
	wr     writer
}

func (c *conn) leftUnread() bool { return c.unread.Load() }

// closing is added to users by close.
const closing = 1 << 32

func (c *conn) open(fd int, mode Mode) error {
	kind, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_TYPE)
	if err != nil {
		return fmt.Errorf("lane: open descriptor %d: %w", fd, os.NewSyscallError("getsockopt", err))
	}
	if kind != syscall.SOCK_SEQPACKET && kind != syscall.SOCK_STREAM {
		return fmt.Errorf("lane: open descriptor %d: neither SOCK_SEQPACKET nor SOCK_STREAM: %w", fd, syscall.EPROTOTYPE)
	}
	peer, err := syscall.Getpeername(fd)
	if err != nil {
		return fmt.Errorf("lane: open descriptor %d: %w", fd, os.NewSyscallError("getpeername", err))
	}
	if _, ok := peer.(*syscall.SockaddrUnix); !ok {
		return fmt.Errorf("lane: open descriptor %d: not a Unix socket: %w", fd, syscall.EAFNOSUPPORT)
	}
	if err := ignoreSIGPIPE(fd); err != nil {
		return fmt.Errorf("lane: open descriptor %d: %w", fd, err)
	}
	if mode == Gated && !gates {
		mode = Polled
	}
	if err := syscall.SetNonblock(fd, mode != Blocking); err != nil {
		return fmt.Errorf("lane: open descriptor %d: %w", fd, os.NewSyscallError("fcntl", err))
	}
	syscall.CloseOnExec(fd)
	c.fd, c.stream = fd, kind == syscall.SOCK_STREAM
	c.most = MaxPayload
	c.gone = make(chan struct{})
	c.rd.init(c)
	c.wr.init(c)
	switch mode {
	case Gated:
		if err := c.openGates(); err != nil {
			return fmt.Errorf("lane: open descriptor %d: %w", fd, err)
		}
	case Polled:
		c.file = os.NewFile(uintptr(fd), "lane")
		if c.raw, err = c.file.SyscallConn(); err != nil {
			return fmt.Errorf("lane: open descriptor %d: %w", fd, err)
		}
	}
	return nil
}

// turns reports whether those who send, and those who receive, take turns.
func (c *conn) turns() bool { return c.stream || c.file != nil || c.in != nil }

func (c *conn) canTry() bool { return c.in != nil && !c.stream }

// gateIn opens or shuts the gate for frames.
func (c *conn) gateIn(open bool) {
	if c.in == nil || c.enter() != nil {
		return
	}
	defer c.leave()
	if open {
		c.in.open()
	} else {
		c.in.shut()
	}
}

func (c *conn) setSendDeadline(t time.Time) error {
	switch {
	case c.file != nil:
		return c.file.SetWriteDeadline(t)
	case c.out != nil:
		if err := c.enter(); err != nil {
			return err
		}
		defer c.leave()
		return c.out.setDeadline(t)
	}
	return nil
}

func (c *conn) limitPayload(n int) { c.most = min(n, MaxPayload) }

// enter makes sure that fd stays open until leave.
func (c *conn) enter() error {
	for {
		n := c.users.Load()
		if n >= closing {
			return os.ErrClosed
		}
		if c.users.CompareAndSwap(n, n+1) {
			return nil
		}
	}
}

func (c *conn) leave() {
	if c.users.Add(-1) == closing {
		if c.in != nil {
			c.in.close()
			c.out.close()
		}
		syscall.Close(c.fd)
		close(c.gone)
	}
}

func (c *conn) close() error {
	if c.closed.Swap(true) {
		return os.ErrClosed
	}
	if c.file != nil {
		return c.file.Close()
	}
	// Counting itself as a user makes the closing everybody's business alike.
	if c.users.Add(closing+1) > closing+1 {
		syscall.Shutdown(c.fd, syscall.SHUT_RDWR)
	}
	c.leave()
	<-c.gone
	return nil
}

func (c *conn) shutdown() error {
	var err error
	if c.file != nil {
		cerr := c.raw.Control(func(fd uintptr) { err = syscall.Shutdown(int(fd), syscall.SHUT_RDWR) })
		if cerr != nil {
			return c.failed("shutdown", cerr)
		}
	} else {
		if err := c.enter(); err != nil {
			return err
		}
		defer c.leave()
		err = syscall.Shutdown(c.fd, syscall.SHUT_RDWR)
	}
	if err == syscall.ENOTCONN { // the peer is gone: that is as good
		return nil
	}
	return os.NewSyscallError("shutdown", err)
}

func (c *conn) descriptor() int { return c.fd }

// failed makes an error of this package of one that a system call, or the
// poller waiting for it, returned.
func (c *conn) failed(call string, err error) error {
	if c.closed.Load() {
		return os.ErrClosed
	}
	return os.NewSyscallError(call, err)
}
