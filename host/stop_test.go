//go:build linux

package host_test

import (
	"context"
	"errors"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// ready starts a script that says when it is ready.
func ready(t testing.TB, h *host.Host, script string) *host.Process {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	spec := sh(script)
	spec.Files = []*os.File{nil, w}
	p := start(t, h, spec)
	w.Close()
	if _, err := r.Read(make([]byte, 1)); err != nil {
		t.Fatal("the child is not ready: ", err)
	}
	return p
}

func TestStopHealthyChild(t *testing.T) {
	h := open(t, host.Config{})
	p := ready(t, h, `trap 'exit 5' TERM; echo; while :; do sleep 0.01; done`)
	begin := time.Now()
	s, err := p.Stop(t.Context())
	if err != nil || s.Code != 5 || p.Forced() {
		t.Errorf("%+v, %v, forced %v", s, err, p.Forced())
	}
	if d := time.Since(begin); d > time.Second {
		t.Errorf("it took %v", d)
	}
	if s, err := p.Stop(t.Context()); err != nil || s.Code != 5 {
		t.Errorf("stopped twice: %+v, %v", s, err)
	}
	if err := p.Signal(syscall.SIGTERM); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("signal after the end: %v", err)
	}
}

func TestStopStubbornChild(t *testing.T) {
	const grace = 500 * time.Millisecond
	h := open(t, host.Config{Timeouts: host.Timeouts{Grace: grace}})
	for name, script := range map[string]string{
		"ignores SIGTERM": `trap "" TERM; echo; while :; do sleep 1; done`,
		"has stopped":     `trap "" TERM; echo; kill -STOP $$; while :; do sleep 1; done`,
	} {
		p := ready(t, h, script)
		begin := time.Now()
		s, err := p.Stop(t.Context())
		d := time.Since(begin)
		if err != nil || s.Signal != syscall.SIGKILL || !p.Forced() {
			t.Errorf("%s: %+v, %v, forced %v", name, s, err, p.Forced())
		}
		if d < grace-50*time.Millisecond || d > grace+200*time.Millisecond {
			t.Errorf("%s: it took %v, want the grace of %v", name, d, grace)
		}
	}
}

func TestStopEndsWithItsContext(t *testing.T) {
	h := open(t, host.Config{})
	p := ready(t, h, `trap "" TERM; echo; while :; do sleep 1; done`)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if s, err := p.Stop(ctx); err != nil || s.Signal != syscall.SIGKILL {
		t.Errorf("%+v, %v", s, err)
	}
	if d := time.Since(begin); d > time.Second {
		t.Errorf("it took %v", d)
	}
}

// TestCloseTakesOneGrace: many stubborn children are stopped at once.
func TestCloseTakesOneGrace(t *testing.T) {
	const grace = time.Second
	h, err := host.Open(host.Config{Timeouts: host.Timeouts{Grace: grace}})
	if err != nil {
		t.Fatal(err)
	}
	var procs []*host.Process
	for range 25 {
		procs = append(procs, ready(t, h, `trap "" TERM; echo; while :; do sleep 10; done`))
	}
	begin := time.Now()
	var wg sync.WaitGroup
	for range 3 { // at the same time, and again
		wg.Go(func() {
			if err := h.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	slack := time.Second
	if raceEnabled {
		slack *= 2 // os.Exit of the plugin takes one of them there
	}
	if d := time.Since(begin); d < grace || d > grace+slack {
		t.Errorf("Close took %v, want one grace of %v", d, grace)
	}
	for _, p := range procs {
		if s := wait(t, p, time.Second); s.Signal != syscall.SIGKILL {
			t.Errorf("status %v", s)
		}
		gone(t, 0, p.Pid())
	}
	if _, err := h.Start(t.Context(), sh("true")); !errors.Is(err, spawn.ErrClosed) {
		t.Errorf("Start after Close: %v", err)
	}
}

// TestCommandContext: the end of the context takes the child and what is
// below it.
func TestCommandContext(t *testing.T) {
	h := open(t, host.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	cmd := h.CommandContext(ctx, "sh", "-c", "sleep 100 & echo $!; wait")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 32)
	n, err := out.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	pids := numbers(t, string(line[:n]))
	cancel()
	var ee *spawn.ExitError
	if err := cmd.Wait(); !errors.As(err, &ee) || ee.Signal != syscall.SIGKILL {
		t.Errorf("Wait: %v, want killed", err)
	}
	gone(t, time.Second, pids...)
}

// A keeper that does not answer takes nothing from the bound of a stop, and the
// child is asked and killed all the same.
func TestStopWithAStoppedKeeper(t *testing.T) {
	const grace, bound = 300 * time.Millisecond, 2 * time.Second
	h := open(t, host.Config{Timeouts: host.Timeouts{Grace: grace, Close: bound - grace}})
	p := ready(t, h, `trap "" TERM; (sleep 600) & echo; wait; while :; do sleep 1; done`)
	keeper := linux.Children(os.Getpid())[0]
	stop(t, keeper)
	begin := time.Now()
	_, err := p.Stop(t.Context())
	took := time.Since(begin)
	syscall.Kill(keeper, syscall.SIGCONT)
	if took > bound+200*time.Millisecond || took < grace {
		t.Errorf("it took %v, want between %v and %v (%v)", took, grace, bound, err)
	}
	if s := wait(t, p, 10*time.Second); s.Signal != syscall.SIGKILL {
		t.Errorf("it ended with %v", s)
	}
}
