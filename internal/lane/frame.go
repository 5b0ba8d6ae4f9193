package lane

import (
	"encoding/binary"
	"errors"
	"fmt"
	"syscall"
)

// Limits of a frame.
const (
	// MaxPayload is the longest payload, in bytes.
	MaxPayload = 64 << 20
	// MaxInline is the longest payload, in bytes, that travels in the message
	// itself. A longer one takes a memfd along. (A stream knows no difference.)
	MaxInline = 64 << 10
	// MaxFDs is the number of descriptors in one frame. Linux allows 253.
	MaxFDs = 250
)

// ErrFrame is matched by the error of a Recv that got something which is not a
// frame. The error itself is a *FrameError.
var ErrFrame = errors.New("bad frame")

// A Frame is what travels. The zero Frame is valid: no payload, no descriptors.
type Frame struct {
	Type    uint8  // what it is; any value
	ID      uint64 // which one it is; any value
	Payload []byte // at most MaxPayload bytes

	// FDs are descriptors, at most MaxFDs. Send leaves them with the caller.
	// After Recv they are close-on-exec and belong to the receiver, who closes
	// them; the next Recv into the same Frame overwrites the numbers.
	FDs []int
}

// A FrameError says what was wrong with what the peer sent. It matches
// ErrFrame.
type FrameError struct {
	Msg string // what was wrong
	Err error  // what the system said about it, or nil
}

// Error returns "lane: bad frame: " and what was wrong.
func (e *FrameError) Error() string {
	text := "lane: " + ErrFrame.Error() + ": " + e.Msg
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns ErrFrame and, if there is one, the cause.
func (e *FrameError) Unwrap() []error {
	if e.Err == nil {
		return []error{ErrFrame}
	}
	return []error{ErrFrame, e.Err}
}

// check refuses what could not be received, before anything is sent.
func (f *Frame) check() error {
	if n := len(f.Payload); n > MaxPayload {
		return fmt.Errorf("lane: send: payload of %d bytes, at most %d: %w", n, MaxPayload, syscall.EMSGSIZE)
	}
	if n := len(f.FDs); n > MaxFDs {
		return fmt.Errorf("lane: send: %d descriptors, at most %d: %w", n, MaxFDs, syscall.EMSGSIZE)
	}
	return nil
}

const (
	headerSize = 16
	flagMemfd  = 1 // the payload is in the first descriptor
)

// header is the fixed part of a frame on the wire.
type header struct {
	typ    uint8
	flags  uint8
	nfds   uint16
	length uint32
	id     uint64
}

// put writes h to b[:headerSize].
func (h header) put(b []byte) {
	b[0], b[1] = h.typ, h.flags
	binary.LittleEndian.PutUint16(b[2:], h.nfds)
	binary.LittleEndian.PutUint32(b[4:], h.length)
	binary.LittleEndian.PutUint64(b[8:], h.id)
}

// parseHeader reads b[:headerSize].
func parseHeader(b []byte) header {
	return header{
		typ:    b[0],
		flags:  b[1],
		nfds:   binary.LittleEndian.Uint16(b[2:]),
		length: binary.LittleEndian.Uint32(b[4:]),
		id:     binary.LittleEndian.Uint64(b[8:]),
	}
}

// check says what is wrong with a header that came with got descriptors, or
// nothing. Only a packet may have its payload in a memfd.
func (h header) check(got, most int, packet bool) error {
	want := int(h.nfds)
	known := uint8(0)
	if packet {
		known = flagMemfd
	}
	if h.flags&flagMemfd != 0 {
		want++
	}
	switch {
	case h.flags&^known != 0:
		return &FrameError{Msg: fmt.Sprintf("flags %#x, known are %#x", h.flags, known)}
	case uint64(h.length) > uint64(most):
		return &FrameError{Msg: fmt.Sprintf("payload of %d bytes, at most %d", h.length, most)}
	case h.nfds > MaxFDs:
		return &FrameError{Msg: fmt.Sprintf("%d descriptors, at most %d", h.nfds, MaxFDs)}
	case got != want:
		return &FrameError{Msg: fmt.Sprintf("%d descriptors attached, header says %d", got, want)}
	}
	return nil
}
