//go:build linux

package host_test

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/linux"
)

// TestDumpNamesWhatHangs: whatever does not answer, the dump says who waits for
// it, and the table is empty again when nobody does any more.
func TestDumpNamesWhatHangs(t *testing.T) {
	limits := host.Timeouts{Spawn: 3 * time.Second, Grace: 300 * time.Millisecond, Call: 300 * time.Millisecond}
	for _, c := range []struct {
		name string
		want []string
	}{
		{"keeper", []string{"\n  spawn  ", "\n  keeper  ", "method forkexec, true\n", "stopped; lane: 1 launches of 128 in flight, unread by it ", "\n  it did not answer: run: keeper: timed out"}},
		{"plugin", []string{"\n  spawn  ", "\n  plan  ", "lane: 1 requests of 128 in flight, unread by it ", "\n  it did not answer: forkexec: "}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := open(t, host.Config{Timeouts: limits})
			wait(t, start(t, h, sh("true")), 10*time.Second)
			pid := keeperOf(t)
			if c.name == "plugin" {
				pid = linux.Children(pid)[0]
			}
			stop(t, pid)
			spec := sh("true")
			spec.Path = "true"
			spec.Session = c.name == "plugin" // which has to be asked then
			ctx, giveUp := context.WithCancel(t.Context())
			ended := make(chan struct{})
			go func() { h.Start(ctx, spec); close(ended) }()
			eventually(t, func() bool { return h.Waits() >= 2 })
			says(t, dump(t, h), c.want...)
			giveUp()
			<-ended
			syscall.Kill(pid, syscall.SIGCONT)
			if n := h.Waits(); n != 0 {
				t.Errorf("%d waits are left:\n%s", n, dump(t, h))
			}
		})
	}
}

// TestDumpWaitsForNoLock: everything is locked, keeper and plugin are stopped.
func TestDumpWaitsForNoLock(t *testing.T) {
	h := open(t, host.Config{})
	p := ready(t, h, `echo; while :; do sleep 10; done`)
	defer p.Kill()
	keeper := keeperOf(t)
	stopped := append(linux.Children(keeper), keeper)
	for _, pid := range stopped {
		stop(t, pid)
	}
	defer func() {
		for _, pid := range stopped {
			syscall.Kill(pid, syscall.SIGCONT)
		}
	}()
	unlock := h.LockAll(p)
	d := dump(t, h)
	unlock()
	if n := strings.Count(d, "  locked by somebody else for"); n < 4 {
		t.Errorf("%d parts say that they are locked:\n%s", n, d)
	}
	says(t, d, "hatchery-keeper", "hatchery-plugin forkexec", ", stopped, started", "goroutines of the host\ngoroutine ", "== end of the dump\n")
}

// TestDumpAfterClose: there is no state in which it may not be called.
func TestDumpAfterClose(t *testing.T) {
	h := open(t, host.Config{})
	wait(t, start(t, h, sh("true")), 10*time.Second)
	h.Close()
	says(t, dump(t, h), "host being closed, or closed", ", has ended\n", "== end of the dump\n")
}
