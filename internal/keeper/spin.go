//go:build unix

package keeper

import (
	"errors"
	"io"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/linux"
)

// spinTime is for how long a caller looks for an answer or an exit itself, before
// it sleeps until the reader has it.
//
// To sleep and be woken by way of the reader is two switches of threads on the
// host's side; and a processor that has nothing to do takes long to wake up, in a
// virtual machine longer than a small program runs. So who waits alone does not
// let it go to sleep. It is not for several callers at a time: they have work for
// every processor.
const spinTime = 600 * time.Microsecond

// yieldTime is how often who spins again and again lets other goroutines run. The
// runtime's monitor takes a goroutine that has not for ten milliseconds for one that
// hangs, and from then on looks at it every 20 microseconds.
const yieldTime = 2 * time.Millisecond

// spin reads the lane in the caller's place until done returns true, and reports
// whether it did. It gives up after spinTime, or at once when somebody else does
// the same, or when it was in vain before.
func (c *Client) spin(p *patience, done func() bool) bool {
	if !c.conn.CanTry() || !p.try() || runtime.GOMAXPROCS(0) == 1 || runtime.NumCPU() == 1 || !c.reading.TryLock() {
		return false
	}
	begin := time.Now()
	if begin.Sub(c.yielded) > yieldTime {
		c.yielded = begin
		runtime.Gosched()
	}
	c.conn.Shut()
	found := done()
	for !found && time.Since(begin) < spinTime {
		err := c.conn.TryRecv(&c.frame)
		if errors.Is(err, io.EOF) || errors.Is(err, os.ErrClosed) {
			break // it is the reader's to tell
		}
		if err == syscall.EAGAIN {
			linux.Yield() // to a child, on this processor
			continue
		}
		c.handle(&c.frame, err)
		found = done()
	}
	c.conn.Unshut()
	c.reading.Unlock()
	p.note(found)
	return found
}

// patience says whether it is worth to look: each time that it was not, it is not
// tried for twice as many times. The zero patience is ready.
type patience struct{ failed, skip atomic.Int32 }

// maxFailed bounds the times that are left out, to 2 to the power of it.
const maxFailed = 4

func (p *patience) try() bool {
	return p.skip.Load() <= 0 || p.skip.Add(-1) < 0
}

func (p *patience) note(found bool) {
	if found {
		p.failed.Store(0)
		return
	}
	n := min(p.failed.Load()+1, maxFailed)
	p.failed.Store(n)
	p.skip.Store(1 << n)
}

// AwaitExit looks for a short time whether a child ends, which done says. The
// caller waits for it in another way afterwards, if it has not.
func (c *Client) AwaitExit(done func() bool) {
	if len(c.window) == 0 {
		c.spin(&c.exitPatience, done)
	}
}
