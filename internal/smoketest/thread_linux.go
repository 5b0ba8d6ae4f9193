package smoketest

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"syscall"
	"time"
)

// A thread is a goroutine with a thread of its own, which does what it is told.
type thread struct {
	tid   int
	calls chan func()
}

// newThread returns a thread, which end ends.
func newThread() *thread {
	t, ready := &thread{calls: make(chan func())}, make(chan struct{})
	go t.run(ready)
	<-ready
	return t
}

func (t *thread) run(ready chan struct{}) {
	runtime.LockOSThread() // for good: the thread ends with the goroutine
	if t.tid = syscall.Gettid(); t.tid == os.Getpid() {
		// The main thread cannot end. While it is held here, another goroutine
		// has another.
		go t.run(ready)
		<-ready
		runtime.UnlockOSThread()
		return
	}
	close(ready)
	for call := range t.calls {
		call()
	}
}

// do has the thread call f, and returns when it has.
func (t *thread) do(f func()) {
	done := make(chan struct{})
	t.calls <- func() { f(); close(done) }
	<-done
}

// end ends the thread, and returns when it is gone.
func (t *thread) end(ctx context.Context) error {
	close(t.calls)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for slices.Contains(threads(os.Getpid()), t.tid) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("thread %d does not end: %w", t.tid, ctx.Err())
		}
	}
	return nil
}
