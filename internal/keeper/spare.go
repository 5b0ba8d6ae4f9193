//go:build unix

package keeper

import (
	"runtime"
	"sync"
)

// spareThreads is how many idle threads the runtime is given. It needs one now
// and then, when a launcher gives its processor away, and aborts the program
// when it cannot have it: under RLIMIT_NPROC or pids.max that would be the end
// of the keeper, and of every child with it. Threads that are there already
// cannot be refused. At any time as many can be wanted as there are processors,
// as many again on their way to one, and some that sit in a system call.
func spareThreads() int { return 2*runtime.GOMAXPROCS(0) + 4 }

// warmThreads makes n threads idle, those that are so already included. The
// runtime never ends an idle thread. All of them are made punctual.
func warmThreads(n int) {
	var all, done sync.WaitGroup
	all.Add(n)
	for range n {
		done.Go(func() {
			runtime.LockOSThread() // each waits on a thread of its own …
			punctual()
			all.Done()
			all.Wait()
			runtime.UnlockOSThread() // … and leaves it to the runtime
		})
	}
	done.Wait()
}
