//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package lane

import (
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"syscall"

	"github.com/hatchery-spawn/hatchery/internal/linux"
)

// received is what a recvmsg returned.
type received struct {
	n, oobn, flags int
	eof            bool // of a packet socket: nothing came, and nothing will
	err            error
}

// reader is one recvmsg through the poller, as writer is one sendmsg.
type reader struct {
	mu          sync.Mutex // of a stream or a polled Conn: one Recv at a time
	first, more func(fd uintptr) bool

	limit int      // in: how much of a scratch to fill
	s     *scratch // out: the scratch filled
	p     []byte   // in: or what to fill without one
	received
}

func (r *reader) init(c *conn) {
	r.first = func(uintptr) bool { // of a gate it is another's
		s := getScratch()
		r.received = recvmsg(c.fd, s.data[:r.limit], s.oob(), false)
		if r.err == syscall.EAGAIN {
			putScratch(s)
			return false
		}
		r.s = s
		return true
	}
	r.more = func(uintptr) bool {
		r.received = recvmsg(c.fd, r.p, nil, false)
		return r.err != syscall.EAGAIN
	}
}

// recvFirst waits for up to limit bytes and their descriptors. The scratch that
// it returns, in any case, is put back by the caller.
func (c *conn) recvFirst(limit int) (*scratch, received) {
	if c.file == nil && c.in == nil {
		s := getScratch()
		return s, recvmsg(c.fd, s.data[:limit], s.oob(), true)
	}
	r := &c.rd
	r.limit = limit
	if err := c.wait(r.first); err != nil {
		return getScratch(), received{err: err}
	}
	s := r.s
	r.s = nil
	return s, r.received
}

// wait waits in the poller until f returns true.
func (c *conn) wait(f func(fd uintptr) bool) error {
	if c.in != nil {
		return c.in.wait(f)
	}
	return c.raw.Read(f)
}

// recvMore waits for more bytes of a stream, which come without descriptors.
func (c *conn) recvMore(p []byte) received {
	if c.file == nil && c.in == nil {
		return recvmsg(c.fd, p, nil, true)
	}
	r := &c.rd
	r.p = p
	err := c.wait(r.more)
	r.p = nil
	if err != nil {
		return received{err: err}
	}
	return r.received
}

func (c *conn) recv(f *Frame) error {
	f.Type, f.ID, f.Payload, f.FDs = 0, 0, f.Payload[:0], f.FDs[:0]
	if c.file == nil {
		if err := c.enter(); err != nil {
			return err
		}
		defer c.leave()
	}
	if c.turns() {
		c.rd.mu.Lock()
		defer c.rd.mu.Unlock()
	}
	var err error
	if c.stream {
		err = c.recvStream(f)
	} else {
		err = c.recvPacket(f, c.recvFirst)
	}
	return c.received(f, err)
}

// tryRecv takes no turn: those who wait for one hold it.
func (c *conn) tryRecv(f *Frame) error {
	f.Type, f.ID, f.Payload, f.FDs = 0, 0, f.Payload[:0], f.FDs[:0]
	if !c.canTry() {
		return syscall.EAGAIN
	}
	if err := c.enter(); err != nil {
		return err
	}
	defer c.leave()
	return c.received(f, c.recvPacket(f, c.tryFirst))
}

func (c *conn) tryFirst(limit int) (*scratch, received) {
	s := getScratch()
	return s, recvmsg(c.fd, s.data[:limit], s.oob(), false)
}

// received tidies a frame up when receiving it has failed.
func (c *conn) received(f *Frame, err error) error {
	if err == nil {
		return nil
	}
	closeAll(f.FDs)
	f.Payload, f.FDs = f.Payload[:0], f.FDs[:0]
	if c.closed.Load() { // being closed may look like a dead peer, too
		return os.ErrClosed
	}
	return err
}

func (c *conn) recvPacket(f *Frame, first func(limit int) (*scratch, received)) error {
	s, r := first(len(scratch{}.data))
	if r.err == syscall.ECONNRESET {
		// The peer closed without having read everything. Linux says so once,
		// ahead of what the peer had sent: its last words are still there.
		c.unread.Store(true)
		putScratch(s)
		s, r = first(len(scratch{}.data))
	}
	defer putScratch(s)
	if r.err == syscall.EAGAIN {
		return syscall.EAGAIN
	}
	if r.err != nil {
		return c.recvFailed(r.err)
	}
	if r.eof {
		return io.EOF
	}
	h, err := f.accept(s, r)
	if err == nil {
		err = h.check(len(f.FDs), c.most, true)
	}
	if err != nil {
		return err
	}
	data := s.data[headerSize:r.n]
	if h.flags&flagMemfd == 0 {
		if len(data) != int(h.length) {
			return &FrameError{Msg: fmt.Sprintf("payload of %d bytes, header says %d", len(data), h.length)}
		}
		f.Payload = append(f.Payload, data...)
		return nil
	}
	if len(data) != 0 {
		return &FrameError{Msg: fmt.Sprintf("payload of %d bytes beside the one in a memfd", len(data))}
	}
	return f.readMemfd(int(h.length))
}

// accept takes header and descriptors out of a message.
func (f *Frame) accept(s *scratch, r received) (header, error) {
	var h header
	var ok bool
	f.FDs, ok = appendRights(f.FDs, s.oob()[:r.oobn])
	if r.n >= headerSize {
		h = parseHeader(s.data[:])
		f.Type, f.ID = h.typ, h.id
	}
	switch {
	case r.flags&syscall.MSG_TRUNC != 0:
		return h, &FrameError{Msg: fmt.Sprintf("message longer than %d bytes", len(s.data))}
	case r.flags&syscall.MSG_CTRUNC != 0 && ok && len(f.FDs) <= MaxFDs:
		// There was room for more, so it is the process that had none.
		return h, &FrameError{Msg: "descriptors lost on receipt", Err: syscall.EMFILE}
	case r.flags&syscall.MSG_CTRUNC != 0 || !ok:
		return h, &FrameError{Msg: "control messages other than one list of descriptors"}
	case r.n < headerSize:
		return h, &FrameError{Msg: fmt.Sprintf("%d bytes, a header has %d", r.n, headerSize)}
	}
	return h, nil
}

// readMemfd replaces the first descriptor by its contents.
func (f *Frame) readMemfd(size int) error {
	memfd := f.FDs[0]
	if err := linux.CheckSealed(memfd, int64(size)); err != nil {
		return &FrameError{Msg: "payload descriptor", Err: err}
	}
	f.Payload = slices.Grow(f.Payload, size)[:size]
	for n := 0; n < size; {
		m, err := syscall.Pread(memfd, f.Payload[n:], int64(n))
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return &FrameError{Msg: "payload descriptor: pread", Err: err}
		case m == 0:
			return &FrameError{Msg: "payload descriptor: pread", Err: io.ErrUnexpectedEOF}
		}
		n += max(m, 0)
	}
	syscall.Close(memfd)
	f.FDs = slices.Delete(f.FDs, 0, 1)
	return nil
}

// recvFailed makes io.EOF of the ways to say that the peer is gone.
func (c *conn) recvFailed(err error) error {
	if err == syscall.ECONNRESET || err == syscall.EPIPE {
		return io.EOF
	}
	return c.failed("recvmsg", err)
}
