//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package lane

import (
	"errors"
	"io"
	"slices"
	"syscall"
)

// recvStream receives a frame in as many pieces as it takes. After garbage the
// lane is shut down, and what is left of it is never read.
func (c *conn) recvStream(f *Frame) error {
	if c.broken.Load() {
		return io.EOF
	}
	err := c.recvPieces(f)
	if errors.Is(err, ErrFrame) {
		c.broken.Store(true)
		c.shutdown()
	}
	return err
}

func (c *conn) recvPieces(f *Frame) error {
	s, r := c.recvFirst(headerSize)
	defer putScratch(s)
	if r.err != nil {
		return c.recvFailed(r.err)
	}
	if r.n == 0 {
		return io.EOF
	}
	// The descriptors came with the first byte. The others may be late.
	for r.n < headerSize {
		more := c.recvMore(s.data[r.n:headerSize])
		if err := c.pieceFailed(more); err != nil {
			f.FDs, _ = appendRights(f.FDs, s.oob()[:r.oobn])
			return err
		}
		r.n += more.n
	}
	h, err := f.accept(s, r)
	if err == nil {
		err = h.check(len(f.FDs), c.most, false)
	}
	if err != nil {
		return err
	}
	// Memory is taken as the payload arrives: the length is only a claim.
	for size := int(h.length); len(f.Payload) < size; {
		have := len(f.Payload)
		room := min(size, max(cap(f.Payload), 2*have, MaxInline))
		f.Payload = slices.Grow(f.Payload, room-have)
		more := c.recvMore(f.Payload[have:room])
		if err := c.pieceFailed(more); err != nil {
			return err
		}
		f.Payload = f.Payload[:have+more.n]
	}
	return nil
}

// pieceFailed says what is wrong with a piece of a frame after the first.
func (c *conn) pieceFailed(r received) error {
	switch {
	case r.err != nil && r.err != syscall.ECONNRESET:
		return c.recvFailed(r.err)
	case r.n == 0:
		return &FrameError{Msg: "the stream ended within", Err: io.ErrUnexpectedEOF}
	case r.flags&syscall.MSG_CTRUNC != 0:
		return &FrameError{Msg: "descriptors attached within the payload"}
	}
	return nil
}
