package lane

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
	"testing"
)

// peerName is what the test binary is called when it is the other process.
const peerName = "lane-test-peer"

// peerMain sends back what it receives, until the lane ends.
func peerMain() int {
	mode, err := strconv.Atoi(os.Args[1])
	if err != nil {
		return 2
	}
	c, err := Open(3, Mode(mode))
	if err != nil {
		return 3
	}
	var f Frame
	for {
		switch err := c.Recv(&f); {
		case err == io.EOF:
			return 0
		case err != nil || c.Send(&f) != nil:
			return 4
		}
		closeAll(f.FDs)
	}
}

// startPeer starts the other process and returns this end.
func startPeer(t testing.TB, kind int, mode, peerMode Mode) (*Conn, *exec.Cmd) {
	t.Helper()
	a, b := rawPair(t, kind)
	end := os.NewFile(uintptr(b), "peer")
	defer end.Close()
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = []string{peerName, strconv.Itoa(int(peerMode))}
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	cmd.ExtraFiles = []*os.File{end}
	c := open(t, a, mode)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return c, cmd
}

func TestOtherProcess(t *testing.T) {
	everyKind(t, func(t *testing.T, kind int, mode Mode) {
		c, cmd := startPeer(t, kind, mode, mode)
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		defer w.Close()
		for _, size := range []int{0, 300, MaxInline + 1} {
			want := &Frame{Type: 7, ID: 8, Payload: pattern(size, 9), FDs: []int{int(w.Fd()), 0}}
			sendAside(t, c, want)
			f := recv(t, c)
			if f.Type != 7 || f.ID != 8 || !bytes.Equal(f.Payload, want.Payload) || len(f.FDs) != 2 {
				t.Fatalf("got type %d, id %d, %d bytes, %d descriptors", f.Type, f.ID, len(f.Payload), len(f.FDs))
			}
			checkWrites(t, f.FDs[0], r, "there and back")
			closeAll(f.FDs)
		}
		if err := c.Shutdown(); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("peer: %v", err)
		}
	})
}

// TestPeerKilled: the waiting Recv hears of it, and a Send gets EPIPE without
// the signal.
func TestPeerKilled(t *testing.T) {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGPIPE, syscall.SIGWINCH)
	defer signal.Stop(signals)
	everyKind(t, func(t *testing.T, kind int, mode Mode) {
		c, cmd := startPeer(t, kind, mode, mode)
		got := make(chan error, 1)
		go func() { got <- c.Recv(new(Frame)) }()
		waitBlocked(t, 1, "Recv")
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := <-got; err != io.EOF {
			t.Errorf("recv: %v, want EOF", err)
		}
		cmd.Wait()
		for _, size := range []int{0, MaxInline + 1} {
			if err := c.Send(&Frame{Payload: make([]byte, size), FDs: []int{0}}); !errors.Is(err, syscall.EPIPE) {
				t.Errorf("send: %v, want EPIPE", err)
			}
		}
	})
	// A SIGPIPE was pending before Send returned, and has the lower number: it
	// would be ahead of this one.
	if err := syscall.Kill(syscall.Getpid(), syscall.SIGWINCH); err != nil {
		t.Fatal(err)
	}
	if got := <-signals; got != syscall.SIGWINCH {
		t.Errorf("%v was raised", got)
	}
}

// TestLastWords: what a peer sent before it died is received, also when it died
// without having read what was sent to it (for which Linux says ECONNRESET).
func TestLastWords(t *testing.T) {
	everyKind(t, func(t *testing.T, kind int, mode Mode) {
		a, b := connPair(t, kind, mode)
		if err := a.Send(&Frame{ID: 99}); err != nil {
			t.Fatal(err)
		}
		for id := range uint64(3) {
			if err := b.Send(&Frame{ID: id, FDs: []int{0}}); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		for id := range uint64(3) {
			f := recv(t, a)
			closeAll(f.FDs)
			if f.ID != id {
				t.Errorf("got id %d, want %d", f.ID, id)
			}
		}
		for range 2 {
			if err := a.Recv(new(Frame)); err != io.EOF {
				t.Errorf("recv: %v, want EOF", err)
			}
		}
	})
}

// TestLastWordsAfterSend: the ECONNRESET may as well be told to a Send.
func TestLastWordsAfterSend(t *testing.T) {
	everyKind(t, func(t *testing.T, kind int, mode Mode) {
		a, b := connPair(t, kind, mode)
		if err := errors.Join(a.Send(new(Frame)), b.Send(&Frame{ID: 1}), b.Close()); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := a.Send(new(Frame)); !errors.Is(err, syscall.EPIPE) {
				t.Errorf("send: %v, want EPIPE", err)
			}
		}
		if f := recv(t, a); f.ID != 1 {
			t.Errorf("got id %d, want 1", f.ID)
		}
	})
}

// TestUnread: whether the peer had read everything is known once it is gone.
func TestUnread(t *testing.T) {
	for _, mode := range []Mode{Blocking, Polled} {
		for _, read := range []bool{true, false} {
			a, b := connPair(t, syscall.SOCK_SEQPACKET, mode)
			if err := a.Send(&Frame{ID: 1}); err != nil {
				t.Fatal(err)
			}
			if read {
				recv(t, b)
			}
			b.Close()
			if err := a.Recv(new(Frame)); err != io.EOF || a.Unread() == read {
				t.Errorf("%v: recv %v, unread %v; the peer had read: %v", mode, err, a.Unread(), read)
			}
		}
	}
}
