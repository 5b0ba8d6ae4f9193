package lane

import (
	"bytes"
	"errors"
	"io"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// FuzzRecv feeds arbitrary bytes and descriptors to both kinds of socket. Each
// byte of fds is a descriptor: a device, a pipe, a memfd sealed or not.
func FuzzRecv(f *testing.F) {
	for _, m := range garbage() {
		f.Add(m.bytes(), make([]byte, len(m.fds)))
	}
	h := message{head: header{typ: 1, id: 2, length: 5}, body: []byte("hello")}
	f.Add(h.bytes(), []byte{})
	h.head.nfds = 4
	f.Add(h.bytes(), []byte{0, 1, 2, 3})
	h.head.flags, h.body = flagMemfd, nil
	f.Add(h.bytes(), []byte{2, 0, 1, 2, 3})
	f.Add(h.bytes(), []byte{3, 0, 1, 2, 3})
	f.Add(bytes.Repeat(message{}.bytes(), 3), []byte{})

	var pipe [2]int
	if err := syscall.Pipe2(pipe[:], syscall.O_CLOEXEC); err != nil {
		f.Fatal(err)
	}
	sorts := []int{0, pipe[0], memfd(f, "hello", allSeals), memfd(f, "hello", 0)}
	f.Fuzz(func(t *testing.T, data, fds []byte) {
		if len(data) > 100_000 || len(fds) > 253 {
			t.Skip("more than the kernel sends at once")
		}
		m := message{raw: data, fds: make([]int, len(fds))}
		for i, b := range fds {
			m.fds[i] = sorts[int(b)%len(sorts)]
		}
		if m.raw == nil {
			m.raw = []byte{}
		}
		before := openFDs(t)
		fuzzPacket(t, m)
		fuzzStream(t, m)
		if after := openFDs(t); after != before {
			t.Errorf("%d descriptors before, %d after", before, after)
		}
	})
}

// fuzzPacket: a frame or ErrFrame, and the frame after it in any case.
func fuzzPacket(t *testing.T, m message) {
	a, b := rawPair(t, syscall.SOCK_SEQPACKET)
	defer syscall.Close(a)
	c, err := Open(b, Blocking)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	sendRaw(t, a, m)
	sendRaw(t, a, message{head: header{id: 42}})
	var f Frame
	switch err := c.Recv(&f); {
	case err == nil:
		checkFrame(t, &f, m)
	case !errors.Is(err, ErrFrame):
		t.Fatalf("recv: %v", err)
	}
	if err := c.Recv(&f); err != nil || f.ID != 42 {
		t.Fatalf("the frame after it: id %d, %v", f.ID, err)
	}
}

// fuzzStream: frames, and then the end or ErrFrame and the end.
func fuzzStream(t *testing.T, m message) {
	a, b := rawPair(t, syscall.SOCK_STREAM)
	defer syscall.Close(a)
	c, err := Open(b, Blocking)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if len(m.raw) > 0 {
		sendRaw(t, a, m)
	}
	if err := unix.Shutdown(a, unix.SHUT_WR); err != nil {
		t.Fatal(err)
	}
	var f Frame
	rest := m.raw
	for err = c.Recv(&f); err == nil; err = c.Recv(&f) {
		checkFrame(t, &f, message{raw: rest[:headerSize+len(f.Payload)], fds: m.fds})
		rest, m.fds = rest[headerSize+len(f.Payload):], nil
	}
	if errors.Is(err, ErrFrame) {
		err = c.Recv(&f)
	} else if len(rest) > 0 {
		t.Errorf("%d bytes were not looked at", len(rest))
	}
	if err != io.EOF {
		t.Fatalf("recv: %v, want EOF", err)
	}
}

// checkFrame compares a valid frame with what was sent, and closes it.
func checkFrame(t *testing.T, f *Frame, m message) {
	t.Helper()
	closeAll(f.FDs)
	h, body, fds := parseHeader(m.raw), m.raw[headerSize:], len(m.fds)
	if h.flags == flagMemfd {
		body, fds = []byte("hello"), fds-1
	}
	if h.flags > flagMemfd || f.Type != h.typ || f.ID != h.id || len(f.FDs) != int(h.nfds) || fds != int(h.nfds) ||
		!bytes.Equal(f.Payload, body) || len(f.Payload) != int(h.length) {
		t.Errorf("got %d/%d, %d descriptors, %q from %x", f.Type, f.ID, len(f.FDs), f.Payload, m.raw)
	}
}
