//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package lane

import (
	"errors"
	"fmt"
	"sync"
	"syscall"

	"github.com/hatchery-spawn/hatchery/internal/linux"
)

// writer is one sendmsg through the poller: what goes in and what came out. It
// is part of the Conn, as is the function that the poller calls, so that sending
// allocates nothing.
type writer struct {
	mu   sync.Mutex // of a stream or a polled Conn: one Send at a time
	call func(fd uintptr) bool
	try  bool // not to wait

	head, body, oob []byte
	n               int
	err             error
}

func (w *writer) init(c *conn) {
	w.call = func(uintptr) bool { // of a gate it is another's
		w.n, w.err = sendmsg(c.fd, w.head, w.body, w.oob)
		return w.err != syscall.EAGAIN
	}
}

// sendmsg sends head and body as one, and waits as the mode says. The capacity
// of head has room for MaxInline bytes more, for systems that need it in one
// piece.
func (c *conn) sendmsg(head, body, oob []byte) (int, error) {
	if c.file == nil {
		n, err := sendmsg(c.fd, head, body, oob)
		if err != syscall.EAGAIN || c.out == nil || c.wr.try {
			return n, err
		}
	}
	w := &c.wr
	w.head, w.body, w.oob = head, body, oob
	var err error
	if c.file != nil {
		err = c.raw.Write(w.call)
	} else {
		c.out.open()
		err = c.out.wait(w.call)
		c.out.shut()
	}
	w.head, w.body, w.oob = nil, nil, nil
	if err != nil {
		return 0, err
	}
	return w.n, w.err
}

func (c *conn) trySend(f *Frame) error {
	if !c.canTry() || !c.wr.mu.TryLock() {
		return syscall.EAGAIN
	}
	defer c.wr.mu.Unlock()
	if err := f.check(); err != nil {
		return err
	}
	if err := c.enter(); err != nil {
		return err
	}
	defer c.leave()
	c.wr.try = true
	defer func() { c.wr.try = false }()
	return c.sendFrame(f)
}

func (c *conn) send(f *Frame) error {
	if err := f.check(); err != nil {
		return err
	}
	if c.file == nil {
		if err := c.enter(); err != nil {
			return err
		}
		defer c.leave()
	}
	if c.turns() {
		c.wr.mu.Lock()
		defer c.wr.mu.Unlock()
	}
	return c.sendFrame(f)
}

func (c *conn) sendFrame(f *Frame) error {
	s := getScratch()
	defer putScratch(s)
	h := header{typ: f.Type, nfds: uint16(len(f.FDs)), length: uint32(len(f.Payload)), id: f.ID}
	if c.stream {
		return c.sendStream(s, h, f)
	}
	if len(f.Payload) > MaxInline {
		return c.sendLarge(s, h, f)
	}
	h.put(s.data[:])
	_, err := c.sendmsg(s.data[:headerSize], f.Payload, putRights(s.oob(), -1, f.FDs))
	if err == syscall.EMSGSIZE && len(f.Payload) > 0 { // the buffer is set smaller than usual
		return c.sendLarge(s, h, f)
	}
	return c.sendFailed(err)
}

// sendLarge sends the payload in a sealed memfd.
func (c *conn) sendLarge(s *scratch, h header, f *Frame) error {
	memfd, err := linux.SealedMemfd("lane", f.Payload)
	if err != nil {
		return fmt.Errorf("lane: send: payload of %d bytes: %w", len(f.Payload), err)
	}
	defer syscall.Close(memfd)
	h.flags |= flagMemfd
	h.put(s.data[:])
	_, err = c.sendmsg(s.data[:headerSize], nil, putRights(s.oob(), memfd, f.FDs))
	return c.sendFailed(err)
}

// sendStream sends header and payload in as many pieces as it takes. The
// descriptors go with the first.
func (c *conn) sendStream(s *scratch, h header, f *Frame) error {
	h.put(s.data[:])
	head, body := s.data[:headerSize], f.Payload
	n, err := c.sendmsg(head, body, putRights(s.oob(), -1, f.FDs))
	if err != nil {
		return c.sendFailed(err)
	}
	for n < headerSize && err == nil {
		var more int
		more, err = c.sendmsg(head[n:], nil, nil)
		n += more
	}
	for n -= headerSize; n < len(body) && err == nil; {
		var more int
		more, err = c.sendmsg(body[n:], nil, nil)
		n += more
	}
	if err != nil {
		c.shutdown() // the peer cannot find the next frame any more
	}
	return c.sendFailed(err)
}

// sendFailed gives one name, EPIPE, to the ways to say that the peer is gone.
func (c *conn) sendFailed(err error) error {
	if err == nil {
		return nil
	}
	for _, gone := range []syscall.Errno{syscall.ECONNRESET, syscall.ECONNREFUSED, syscall.ENOTCONN} {
		if errors.Is(err, gone) {
			err = syscall.EPIPE
		}
	}
	return c.failed("sendmsg", err)
}
