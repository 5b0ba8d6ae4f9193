package lane

import (
	"io"
	"strconv"
	"syscall"
	"testing"
)

// TestNoAllocations holds for small frames and few descriptors.
func TestNoAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("with the race detector, a sync.Pool drops what it is given at random")
	}
	everyKind(t, func(t *testing.T, kind int, mode Mode) {
		a, b := connPair(t, kind, mode)
		for _, n := range []int{0, 3} {
			out := &Frame{Payload: make([]byte, 500), FDs: make([]int, n)}
			var in Frame
			got := testing.AllocsPerRun(500, func() {
				if err := a.Send(out); err != nil {
					t.Fatal(err)
				}
				if err := b.Recv(&in); err != nil {
					t.Fatal(err)
				}
				closeAll(in.FDs)
			})
			if got != 0 {
				t.Errorf("%d descriptors: %v allocations per frame", n, got)
			}
		}
	})
}

// BenchmarkRoundTrip is 200 bytes there and back within one process.
func BenchmarkRoundTrip(b *testing.B) {
	for _, kind := range []int{syscall.SOCK_SEQPACKET, syscall.SOCK_STREAM} {
		for _, mode := range []Mode{Blocking, Polled} {
			for _, n := range []int{0, 3} {
				b.Run(kindName(kind)+"/"+mode.String()+"/fds="+strconv.Itoa(n), func(b *testing.B) {
					x, y := connPair(b, kind, mode)
					roundTrips(b, x, y, &Frame{Payload: make([]byte, 200), FDs: make([]int, n)})
				})
			}
		}
	}
}

// BenchmarkOtherProcess is the same with the echo in another process: this one's
// mode, and that one's.
func BenchmarkOtherProcess(b *testing.B) {
	for _, mode := range []Mode{Blocking, Polled} {
		for _, peerMode := range []Mode{Blocking, Polled} {
			for _, n := range []int{0, 3} {
				b.Run(mode.String()+"-"+peerMode.String()+"/fds="+strconv.Itoa(n), func(b *testing.B) {
					c, cmd := startPeer(b, syscall.SOCK_SEQPACKET, mode, peerMode)
					calls(b, c, &Frame{Payload: make([]byte, 200), FDs: make([]int, n)})
					if err := cmd.Wait(); err != nil {
						b.Error(err)
					}
				})
			}
		}
	}
}

// BenchmarkLarge is 1 MiB there and back: through a memfd, or a stream.
func BenchmarkLarge(b *testing.B) {
	for _, kind := range []int{syscall.SOCK_SEQPACKET, syscall.SOCK_STREAM} {
		b.Run(kindName(kind), func(b *testing.B) {
			x, y := connPair(b, kind, Blocking)
			b.SetBytes(2 << 20)
			roundTrips(b, x, y, &Frame{Payload: make([]byte, 1<<20)})
		})
	}
}

func roundTrips(b *testing.B, x, y *Conn, out *Frame) {
	done := make(chan error, 1)
	go func() {
		var f Frame
		for {
			if err := y.Recv(&f); err != nil {
				done <- err
				return
			}
			if err := y.Send(&f); err != nil {
				done <- err
				return
			}
			closeAll(f.FDs)
		}
	}()
	calls(b, x, out)
	if err := <-done; err != io.EOF {
		b.Error(err)
	}
}

// calls sends out and waits for its echo, again and again, and ends the lane.
func calls(b *testing.B, c *Conn, out *Frame) {
	var in Frame
	b.ReportAllocs()
	for b.Loop() {
		if err := c.Send(out); err != nil {
			b.Fatal(err)
		}
		if err := c.Recv(&in); err != nil {
			b.Fatal(err)
		}
		closeAll(in.FDs)
	}
	if err := c.Shutdown(); err != nil {
		b.Error(err)
	}
}
