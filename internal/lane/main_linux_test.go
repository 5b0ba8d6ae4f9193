package lane

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// TestMain runs the tests, or is the peer of one of them under another name.
func TestMain(m *testing.M) {
	if os.Args[0] == peerName {
		os.Exit(peerMain())
	}
	os.Exit(m.Run())
}

// openFDs counts the descriptors of this process.
func openFDs(t testing.TB) int {
	t.Helper()
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(names)
}

// noLeak fails t when it ends with another number of descriptors than now.
func noLeak(t testing.TB) {
	t.Helper()
	before := openFDs(t)
	t.Cleanup(func() {
		if after := openFDs(t); after != before {
			t.Errorf("%d descriptors before the test, %d after it", before, after)
		}
	})
}

// rawPair is a connected pair of descriptors of a kind.
func rawPair(t testing.TB, kind int) (a, b int) {
	t.Helper()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, kind|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	return fds[0], fds[1]
}

func open(t testing.TB, fd int, mode Mode) *Conn {
	t.Helper()
	c, err := Open(fd, mode)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func connPair(t testing.TB, kind int, mode Mode) (a, b *Conn) {
	t.Helper()
	x, y := rawPair(t, kind)
	return open(t, x, mode), open(t, y, mode)
}

// everyKind runs f for each kind of socket and each mode.
func everyKind(t *testing.T, f func(t *testing.T, kind int, mode Mode)) {
	for _, kind := range []int{syscall.SOCK_SEQPACKET, syscall.SOCK_STREAM} {
		for _, mode := range []Mode{Polled, Blocking, Gated} {
			t.Run(kindName(kind)+"/"+mode.String(), func(t *testing.T) {
				noLeak(t)
				f(t, kind, mode)
			})
		}
	}
}

func kindName(kind int) string {
	if kind == syscall.SOCK_STREAM {
		return "stream"
	}
	return "packet"
}

// sendAside sends frames in a goroutine, since a large one over a stream waits
// for the receiver. The error is checked when the test ends.
func sendAside(t testing.TB, c *Conn, frames ...*Frame) {
	t.Helper()
	done := make(chan error, 1)
	go func() {
		for _, f := range frames {
			if err := c.Send(f); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	t.Cleanup(func() {
		if err := <-done; err != nil {
			t.Errorf("send: %v", err)
		}
	})
}

func recv(t testing.TB, c *Conn) *Frame {
	t.Helper()
	f := new(Frame)
	if err := c.Recv(f); err != nil {
		t.Fatalf("recv: %v", err)
	}
	return f
}

// waitBlocked returns when n goroutines are in the named method of Conn and
// wait for the kernel, or for one that does.
func waitBlocked(t testing.TB, n int, method string) {
	t.Helper()
	buf := make([]byte, 1<<20)
	for {
		got := 0
		dump := buf[:runtime.Stack(buf, true)]
		for _, g := range bytes.Split(dump, []byte("\n\n")) {
			head, _, _ := strings.Cut(string(g), "\n")
			waits := strings.Contains(head, "IO wait") || strings.Contains(head, "syscall") || strings.Contains(head, "sync.Mutex.Lock")
			if waits && bytes.Contains(g, fmt.Appendf(nil, "lane.(*Conn).%s(", method)) {
				got++
			}
		}
		if got == n {
			return
		}
		runtime.Gosched()
	}
}

// pattern fills n bytes so that a lost, doubled or moved piece is seen.
func pattern(n int, seed uint64) []byte {
	p := make([]byte, n)
	x := seed*0x9e3779b97f4a7c15 + 1
	for i := range p {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		p[i] = byte(x)
	}
	return p
}
