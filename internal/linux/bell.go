package linux

import (
	"sync/atomic"
	"time"
)

// A Bell is rung once, and one goroutine waits for that. The zero Bell is ready. A
// goroutine that is locked to its thread is woken by nothing else than that thread:
// by a channel it would be by way of another one.
type Bell struct{ state atomic.Uint32 }

const (
	bellQuiet = iota
	bellAwaited
	bellRung
)

// Ring wakes who waits, and lets who comes later not wait.
func (b *Bell) Ring() {
	if b.state.Swap(bellRung) == bellAwaited {
		b.wake()
	}
}

// Wait returns when the bell has been rung, or after a time. A signal that is caught
// may make that shorter. Where the system has no such thing it returns at once.
func (b *Bell) Wait(limit time.Duration) {
	if b.state.CompareAndSwap(bellQuiet, bellAwaited) {
		b.sleep(limit)
	}
}
