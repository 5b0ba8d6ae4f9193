//go:build unix

package keeper

import (
	"runtime"

	"github.com/hatchery-spawn/hatchery/internal/linux"
)

// rooted runs functions, one after the other, on a thread that keeps the root
// and working directory the keeper was started with. All other threads share
// the host's: when it calls chroot(2), they lose sight of /proc, and with it of
// the descendants that are to be ended.
type rooted struct{ work chan func() }

// newRooted starts the thread. It lives as long as the keeper.
func newRooted() *rooted {
	r := &rooted{work: make(chan func())}
	ready := make(chan struct{})
	go func() {
		runtime.LockOSThread() // never unlocked: no other goroutine may get this thread
		linux.OwnFS()          // where there is no such thing nothing is shared either
		close(ready)
		for f := range r.work {
			f()
		}
	}()
	<-ready
	return r
}

// do runs f and returns when it has.
func (r *rooted) do(f func()) {
	done := make(chan struct{})
	r.work <- func() {
		defer close(done)
		f()
	}
	<-done
}
