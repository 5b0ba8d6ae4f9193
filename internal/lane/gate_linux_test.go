package lane

import (
	"errors"
	"io"
	"os"
	"syscall"
	"testing"
)

// TestGateWakesForWhatCameWhileItWasShut: also when an earlier frame, which woke
// nobody any more, has left the descriptor on the kernel's list of ready ones.
func TestGateWakesForWhatCameWhileItWasShut(t *testing.T) {
	noLeak(t)
	x, y := rawPair(t, syscall.SOCK_SEQPACKET)
	a, b := open(t, x, Gated), open(t, y, Blocking)
	if !a.CanTry() {
		t.Fatal("TryRecv does not work")
	}
	got := make(chan uint64, 3)
	go func() {
		defer close(got)
		var f Frame
		for a.Recv(&f) == nil {
			got <- f.ID
		}
	}()
	send := func(id uint64) {
		if err := b.Send(&Frame{ID: id}); err != nil {
			t.Fatal(err)
		}
	}
	tried := 0
	for id := uint64(1); id < 9000; id += 3 {
		send(id)
		if n := <-got; n != id {
			t.Fatalf("received %d, want %d", n, id)
		}
		a.Shut()
		send(id + 1)
		left := 2
		var f Frame
		switch err := a.TryRecv(&f); {
		case err == nil:
			left--
			tried++
		case err != syscall.EAGAIN: // who had not come to wait may have it
			t.Fatalf("TryRecv: %v", err)
		}
		send(id + 2)
		a.Unshut()
		for range left {
			if n := <-got; n <= id || n > id+2 {
				t.Fatalf("received %d after %d", n, id)
			}
		}
	}
	if tried == 0 {
		t.Error("TryRecv never got anything")
	}
	a.Shut()
	b.Close() // the end comes through all the same
	if _, ok := <-got; ok {
		t.Error("received something of nobody")
	}
	if err := a.TryRecv(new(Frame)); !errors.Is(err, io.EOF) {
		t.Errorf("TryRecv: %v, want EOF", err)
	}
}

// TestTrySend fills the socket's buffer: TrySend does not wait, and what it could
// not send has not been sent.
func TestTrySend(t *testing.T) {
	noLeak(t)
	x, y := rawPair(t, syscall.SOCK_SEQPACKET)
	a, b := open(t, x, Gated), open(t, y, Blocking)
	if err := b.TrySend(new(Frame)); err != syscall.EAGAIN {
		t.Errorf("in mode Blocking: %v, want EAGAIN", err)
	}
	sent := uint64(0)
	fill := func() {
		for {
			err := a.TrySend(&Frame{ID: sent + 1, Payload: make([]byte, 1000)})
			if errors.Is(err, syscall.EAGAIN) {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			sent++
		}
	}
	fill()
	if sent == 0 {
		t.Fatal("nothing was sent")
	}
	waited := make(chan error)
	go func() { waited <- a.Send(&Frame{ID: sent + 1}) }()
	var f Frame
	for id := uint64(1); id <= sent+1; id++ {
		if err := b.Recv(&f); err != nil || f.ID != id {
			t.Fatalf("received %d, %v, want %d", f.ID, err, id)
		}
	}
	if err := <-waited; err != nil {
		t.Fatal(err)
	}
	sent++
	fill() // as before
	b.Close()
	if err := a.TrySend(new(Frame)); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("nobody there: %v, want EPIPE", err)
	}
	a.Close()
	if err := a.TrySend(new(Frame)); !errors.Is(err, os.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}
