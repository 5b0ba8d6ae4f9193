//go:build linux && (amd64 || arm64)

package launch

import (
	"runtime"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// TestLaunchUnderCollection launches from several threads while the collector
// runs, stacks grow and signals are sent to preempt: what would show if the
// runtime touched a child, or a child the runtime.
func TestLaunchUnderCollection(t *testing.T) {
	stop := make(chan struct{})
	var busy, launchers sync.WaitGroup
	busy.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				runtime.GC()
				growStack(200)
			}
		}
	})
	for range 4 {
		launchers.Go(func() { launchMany(t, 200) })
	}
	launchers.Wait()
	close(stop)
	busy.Wait()
}

func launchMany(t *testing.T, n int) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	th, err := NewThread()
	if err != nil {
		t.Error(err)
		return
	}
	defer th.Close()
	null, err := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Error(err)
		return
	}
	defer unix.Close(null)
	for i := range n {
		r := &Request{Plan: plan(spawn.Umask(uint32(i % 8))), Path: "/bin/true", Args: []string{"true"}, Null: null}
		child, err := th.Launch(r)
		th.Done()
		if err != nil {
			t.Errorf("launch %d: %v", i, err)
			return
		}
		unix.Close(child.Pidfd)
		var ws syscall.WaitStatus
		if _, err := syscall.Wait4(child.Pid, &ws, 0, nil); err != nil || ws != 0 {
			t.Errorf("launch %d: %v, %v", i, ws, err)
		}
	}
}

func growStack(n int) byte {
	var b [256]byte
	if n == 0 {
		return b[0]
	}
	return growStack(n-1) + b[n%256]
}
