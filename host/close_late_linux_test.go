package host_test

import (
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
)

// TestCloseWithALatePlugin: a plugin that is still there a second after SIGKILL is an
// error of Close if it is there at the end, and none if it has been reaped since. It
// is held by a tracer: until that has looked, nobody reaps it.
func TestCloseWithALatePlugin(t *testing.T) {
	for name, late := range map[string]bool{"reaped": false, "there": true} {
		t.Run(name, func(t *testing.T) {
			h, err := host.Open(host.Config{Timeouts: host.Timeouts{Grace: time.Second, Close: 4 * time.Second}})
			must(t, err)
			runs(t, h)
			release := holdPlugin(t, pluginPid(t, h))
			closed := make(chan error, 1)
			go func() { closed <- h.Close() }() // waited for below
			eventually(t, func() bool { return strings.Contains(dump(t, h), ", keepers\n") })
			if !late {
				release()
			}
			err = <-closed
			release()
			switch {
			case !late && err != nil:
				t.Error("Close: ", err)
			case late && (err == nil || !strings.Contains(err.Error(), "forkexec: stop: plugin exit: ")):
				t.Errorf("Close: %v, which does not name the plugin", err)
			}
			if f := h.Forced(); len(f) != 1 || f[0] != "plugin forkexec" {
				t.Errorf("Forced: %q", f)
			}
		})
	}
}

// holdPlugin does not let a process be reaped, once it has ended, before release is
// called.
func holdPlugin(t *testing.T, pid int) (release func()) {
	t.Helper()
	held, let, done := make(chan error, 1), make(chan struct{}), make(chan struct{})
	go func() { // waited for by release
		defer close(done)
		runtime.LockOSThread() // it is the thread that traces
		defer runtime.UnlockOSThread()
		const seize = 0x4206
		_, _, errno := syscall.RawSyscall6(syscall.SYS_PTRACE, seize, uintptr(pid), 0, 0, 0, 0)
		if errno != 0 {
			held <- errno
			return
		}
		held <- nil
		<-let
		const threads = 0x20000000 // __WNOTHREAD: what the others have is not ours
		for {
			var ws syscall.WaitStatus
			_, err := syscall.Wait4(pid, &ws, threads|syscall.WALL, nil)
			if err == nil && !ws.Stopped() || err != nil && err != syscall.EINTR {
				return
			}
		}
	}()
	if err := <-held; err != nil {
		t.Skip("may not trace its own plugin: ", err)
	}
	return func() {
		select {
		case <-let:
		default:
			close(let)
		}
		<-done
	}
}
