package lane

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"testing"
)

func TestPayloadRoundTrip(t *testing.T) {
	everyKind(t, func(t *testing.T, kind int, mode Mode) {
		a, b := connPair(t, kind, mode)
		var f Frame // one for all: the capacity is reused, the contents are not
		for i, size := range []int{0, 1, 3 << 20, 200, MaxInline, MaxInline + 1, 1 << 20, 0, 64} {
			want := &Frame{Type: uint8(255 - i), ID: 1<<63 + uint64(i), Payload: pattern(size, uint64(i))}
			sendAside(t, a, want)
			if err := b.Recv(&f); err != nil {
				t.Fatalf("%d bytes: %v", size, err)
			}
			if f.Type != want.Type || f.ID != want.ID || len(f.FDs) != 0 {
				t.Errorf("%d bytes: got type %d, id %d, %d descriptors", size, f.Type, f.ID, len(f.FDs))
			}
			if !bytes.Equal(f.Payload, want.Payload) {
				t.Errorf("%d bytes: payload differs (%d bytes)", size, len(f.Payload))
			}
		}
	})
}

func TestLargestPayload(t *testing.T) {
	if testing.Short() {
		t.Skip("64 MiB four times over")
	}
	want := pattern(MaxPayload, 1)
	everyKind(t, func(t *testing.T, kind int, mode Mode) {
		a, b := connPair(t, kind, mode)
		sendAside(t, a, &Frame{Payload: want})
		if f := recv(t, b); !bytes.Equal(f.Payload, want) {
			t.Errorf("payload differs (%d bytes)", len(f.Payload))
		}
	})
}

// TestSmallBuffer: a payload that is small enough for the message, but not for
// the socket, goes the way of the large ones.
func TestSmallBuffer(t *testing.T) {
	noLeak(t)
	for _, mode := range []Mode{Polled, Blocking} {
		a, b := connPair(t, syscall.SOCK_SEQPACKET, mode)
		if err := syscall.SetsockoptInt(a.Fd(), syscall.SOL_SOCKET, syscall.SO_SNDBUF, 4096); err != nil {
			t.Fatal(err)
		}
		want := pattern(40_000, 3)
		sendAside(t, a, &Frame{Payload: want, FDs: []int{0}})
		f := recv(t, b)
		closeAll(f.FDs)
		if !bytes.Equal(f.Payload, want) || len(f.FDs) != 1 {
			t.Errorf("got %d bytes, %d descriptors", len(f.Payload), len(f.FDs))
		}
	}
}

func TestTooLarge(t *testing.T) {
	payload := make([]byte, MaxPayload+1)
	everyKind(t, func(t *testing.T, kind int, mode Mode) {
		a, b := connPair(t, kind, mode)
		for _, f := range []*Frame{{Payload: payload}, {FDs: make([]int, MaxFDs+1)}} {
			if err := a.Send(f); !errors.Is(err, syscall.EMSGSIZE) {
				t.Errorf("got %v, want EMSGSIZE", err)
			}
		}
		sendAside(t, a, &Frame{ID: 9}) // and nothing was sent before this
		if f := recv(t, b); f.ID != 9 {
			t.Errorf("got id %d, want 9", f.ID)
		}
	})
}

// TestDescriptors sends the writing end of a pipe many times over and writes
// through each copy that arrives.
func TestDescriptors(t *testing.T) {
	everyKind(t, func(t *testing.T, kind int, mode Mode) {
		a, b := connPair(t, kind, mode)
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		defer w.Close()
		for _, n := range []int{0, 1, 3, MaxFDs, 2} {
			for _, size := range []int{0, 10, MaxInline + 1} {
				fds := make([]int, n)
				for i := range fds {
					fds[i] = int(w.Fd())
				}
				sendAside(t, a, &Frame{Payload: pattern(size, 5), FDs: fds})
				f := recv(t, b)
				if len(f.FDs) != n || !bytes.Equal(f.Payload, pattern(size, 5)) {
					t.Fatalf("%d descriptors, %d bytes: got %d and %d", n, size, len(f.FDs), len(f.Payload))
				}
				for i, fd := range f.FDs {
					checkWrites(t, fd, r, fmt.Sprintf("%d of %d", i, n))
				}
				closeAll(f.FDs)
			}
		}
	})
}

// checkWrites writes text to fd, expects it at r, and fd to be close-on-exec.
func checkWrites(t *testing.T, fd int, r *os.File, text string) {
	t.Helper()
	flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFD, 0)
	if errno != 0 || flags&syscall.FD_CLOEXEC == 0 {
		t.Errorf("%s: flags %#x (%v), want close-on-exec", text, flags, errno)
	}
	if _, err := syscall.Write(fd, []byte(text)); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	got := make([]byte, 64)
	n, err := r.Read(got)
	if err != nil || string(got[:n]) != text {
		t.Errorf("got %q (%v), want %q", got[:n], err, text)
	}
}

// TestSendErrno: what the kernel refuses is the caller's to see, and the lane is
// none the worse.
func TestSendErrno(t *testing.T) {
	everyKind(t, func(t *testing.T, kind int, mode Mode) {
		a, b := connPair(t, kind, mode)
		for _, size := range []int{0, MaxInline + 1} {
			if err := a.Send(&Frame{Payload: make([]byte, size), FDs: []int{1 << 20}}); !errors.Is(err, syscall.EBADF) {
				t.Errorf("descriptor that is not open: %v, want EBADF", err)
			}
		}
		sendAside(t, a, &Frame{ID: 3})
		if f := recv(t, b); f.ID != 3 {
			t.Errorf("got id %d, want 3", f.ID)
		}
	})
}

// TestStreamCutShort: when a stream takes half a frame and no more, the lane
// ends, so that no later frame is taken for the other half.
func TestStreamCutShort(t *testing.T) {
	noLeak(t)
	a, b := connPair(t, syscall.SOCK_STREAM, Blocking)
	if err := syscall.SetsockoptTimeval(a.Fd(), syscall.SOL_SOCKET, syscall.SO_SNDTIMEO, &syscall.Timeval{Usec: 1000}); err != nil {
		t.Fatal(err)
	}
	if err := a.Send(&Frame{Payload: make([]byte, 3<<20)}); !errors.Is(err, syscall.EAGAIN) {
		t.Errorf("send: %v, want EAGAIN", err)
	}
	if err := a.Send(new(Frame)); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("send after it: %v, want EPIPE", err)
	}
	if err := b.Recv(new(Frame)); !errors.Is(err, ErrFrame) || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("recv: %v, want ErrFrame and ErrUnexpectedEOF", err)
	}
	if err := b.Recv(new(Frame)); err != io.EOF {
		t.Errorf("recv after it: %v, want EOF", err)
	}
}
