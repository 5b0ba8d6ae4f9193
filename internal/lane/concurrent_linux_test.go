package lane

import (
	"bytes"
	"errors"
	"io"
	"os"
	"sync"
	"syscall"
	"testing"
)

// TestManyInFlight: eight senders and four receivers, both ways at once, and
// each frame arrives once and whole.
func TestManyInFlight(t *testing.T) {
	const senders, receivers, each = 8, 4, 100
	everyKind(t, func(t *testing.T, kind int, mode Mode) {
		a, b := connPair(t, kind, mode)
		var sending, receiving sync.WaitGroup
		for _, c := range []*Conn{a, b} {
			for s := range senders {
				sending.Go(func() {
					for i := range each {
						sendNumbered(t, c, uint64(s*each+i))
					}
				})
			}
		}
		for _, c := range []*Conn{a, b} {
			var mu sync.Mutex
			seen := make(map[uint64]int)
			for range receivers {
				receiving.Go(func() {
					var f Frame
					for recvNumbered(t, c, &f) {
						mu.Lock()
						seen[f.ID]++
						mu.Unlock()
					}
				})
			}
			t.Cleanup(func() {
				for id := range uint64(senders * each) {
					if seen[id] != 1 {
						t.Errorf("frame %d arrived %d times", id, seen[id])
					}
				}
			})
		}
		sending.Wait()
		if err := a.Shutdown(); err != nil { // what is on the way still arrives
			t.Error(err)
		}
		receiving.Wait()
	})
}

// sendNumbered sends a frame whose contents follow from its number.
func sendNumbered(t *testing.T, c *Conn, id uint64) {
	size := int(id * 37 % 5000)
	if id%50 == 0 {
		size += MaxInline
	}
	f := &Frame{ID: id, Payload: pattern(size, id), FDs: []int{0, 1, 2}[:id%4%3]}
	for err := c.Send(f); err != nil; err = c.Send(f) {
		if !errors.Is(err, syscall.ETOOMANYREFS) {
			t.Errorf("send: %v", err)
			return
		}
	}
}

func recvNumbered(t *testing.T, c *Conn, f *Frame) bool {
	err := c.Recv(f)
	if err != nil {
		if err != io.EOF {
			t.Errorf("recv: %v", err)
		}
		return false
	}
	closeAll(f.FDs)
	if len(f.FDs) != int(f.ID%4%3) {
		t.Errorf("frame %d: %d descriptors", f.ID, len(f.FDs))
	}
	if !bytes.Equal(f.Payload, pattern(len(f.Payload), f.ID)) {
		t.Errorf("frame %d: payload differs", f.ID)
	}
	return true
}

// TestShutdownWakes: every Recv at either end.
func TestShutdownWakes(t *testing.T) {
	everyKind(t, func(t *testing.T, kind int, mode Mode) {
		a, b := connPair(t, kind, mode)
		errs := make(chan error, 8)
		for range 4 {
			go func() { errs <- a.Recv(new(Frame)) }()
			go func() { errs <- b.Recv(new(Frame)) }()
		}
		waitBlocked(t, 8, "Recv")
		if err := a.Shutdown(); err != nil {
			t.Error(err)
		}
		for range 8 {
			if err := <-errs; err != io.EOF {
				t.Errorf("recv: %v, want EOF", err)
			}
		}
		for _, c := range []*Conn{a, b} {
			if err := c.Send(new(Frame)); !errors.Is(err, syscall.EPIPE) {
				t.Errorf("send after shutdown: %v, want EPIPE", err)
			}
			if err := c.Shutdown(); err != nil {
				t.Errorf("second shutdown: %v", err)
			}
		}
	})
}

// TestCloseWakes: every Recv and Send at this end.
func TestCloseWakes(t *testing.T) {
	everyKind(t, func(t *testing.T, kind int, mode Mode) {
		a, _ := connPair(t, kind, mode)
		fill(t, a.Fd())
		errs := make(chan error, 7)
		for range 4 {
			go func() { errs <- a.Recv(new(Frame)) }()
		}
		for range 3 {
			go func() { errs <- a.Send(new(Frame)) }()
		}
		waitBlocked(t, 4, "Recv")
		waitBlocked(t, 3, "Send")
		if err := a.Close(); err != nil {
			t.Error(err)
		}
		for range 7 {
			if err := <-errs; !errors.Is(err, os.ErrClosed) {
				t.Errorf("got %v, want ErrClosed", err)
			}
		}
		for name, err := range map[string]error{
			"send": a.Send(new(Frame)), "recv": a.Recv(new(Frame)), "shutdown": a.Shutdown(), "close": a.Close(),
		} {
			if !errors.Is(err, os.ErrClosed) {
				t.Errorf("%s after close: %v, want ErrClosed", name, err)
			}
		}
	})
}

// TestCloseIsQuiet: without anybody to wake, Close does not end the lane for
// those who hold a duplicate of this end.
func TestCloseIsQuiet(t *testing.T) {
	everyKind(t, func(t *testing.T, kind int, mode Mode) {
		a, b := connPair(t, kind, mode)
		dup, err := syscall.Dup(a.Fd())
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		a = open(t, dup, mode)
		sendAside(t, b, &Frame{ID: 5})
		if f := recv(t, a); f.ID != 5 {
			t.Errorf("got id %d, want 5", f.ID)
		}
	})
}

// TestFullBuffer: a Send waits until there is room again.
func TestFullBuffer(t *testing.T) {
	everyKind(t, func(t *testing.T, kind int, mode Mode) {
		a, b := connPair(t, kind, mode)
		n := fill(t, a.Fd())
		sendAside(t, a, &Frame{ID: 77, Payload: pattern(MaxInline, 77)})
		waitBlocked(t, 1, "Send")
		for range n {
			recv(t, b)
		}
		if f := recv(t, b); f.ID != 77 || !bytes.Equal(f.Payload, pattern(MaxInline, 77)) {
			t.Errorf("got id %d, %d bytes", f.ID, len(f.Payload))
		}
	})
}

// fill sends frames until not a byte more fits, and returns how many. Into a
// stream the last one may fit in part only, so they are as small as can be.
func fill(t *testing.T, fd int) int {
	t.Helper()
	var b [headerSize]byte
	for n := 0; ; n++ {
		err := syscall.Sendmsg(fd, b[:], nil, nil, syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL)
		if err == syscall.EAGAIN {
			return n
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
