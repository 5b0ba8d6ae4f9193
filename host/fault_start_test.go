//go:build linux

package host_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/helperproc"
	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// TestFaultCanceledStart: who gives up the start of a plugin that hangs is
// free at once, and nothing of the plugin is left.
func TestFaultCanceledStart(t *testing.T) {
	for _, mode := range []string{"hang", "hang_family", "stop", "handshake_part", "socket_deaf", "describe_hang", "describe_stop"} {
		t.Run(mode, func(t *testing.T) {
			leakcheck.Check(t)
			h := open(t, host.Config{})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			errs := make(chan error, 1)
			go func() {
				_, err := h.StartMethod(ctx, "fault_"+mode, sh("true"))
				errs <- err
			}()
			n := 1
			if mode == "hang_family" {
				n = 2
			}
			pids := awaitFamily(t, n)
			<-time.After(50 * time.Millisecond) // it gets as far as it does: that is no event
			begin := time.Now()
			cancel()
			err := <-errs
			if d := time.Since(begin); d > 200*time.Millisecond+faultSlack {
				t.Errorf("returned %v after the cancellation", d)
			}
			var e *spawn.Error
			if !errors.Is(err, spawn.ErrCanceled) || !errors.Is(err, context.Canceled) || !errors.As(err, &e) || e.Phase != spawn.PhaseStart {
				t.Errorf("got %v, want a cancellation at the start", err)
			}
			gone(t, 5*time.Second, append(pids, familyOf(keeperOf(t))...)...)
		})
	}
}

// TestFaultDeadlineOfCaller: a caller whose deadline is nearer than the start's
// learns what the start was waiting for.
func TestFaultDeadlineOfCaller(t *testing.T) {
	h := open(t, host.Config{})
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	begin := time.Now()
	_, err := h.StartMethod(ctx, "fault_hang", sh("true"))
	if !errors.Is(err, spawn.ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "handshake") {
		t.Errorf("got %v, want a timeout that names the handshake", err)
	}
	if d := time.Since(begin); d > 500*time.Millisecond+faultSlack {
		t.Errorf("it took %v", d)
	}
}

// TestFaultSharedStart: a start goes on for those who still wait for it.
func TestFaultSharedStart(t *testing.T) {
	leakcheck.Check(t)
	limits := faultLimits()
	limits.Start = faultStart
	h := open(t, host.Config{Timeouts: limits})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	first, second := make(chan error, 1), make(chan error, 1)
	try := func(ctx context.Context, errs chan<- error) {
		_, err := h.StartMethod(ctx, "fault_hang", sh("true"))
		errs <- err
	}
	go try(ctx, first)
	go try(t.Context(), second)
	awaitFamily(t, 1)
	<-time.After(50 * time.Millisecond) // both are there
	cancel()
	if err := <-first; !errors.Is(err, spawn.ErrCanceled) {
		t.Errorf("the first: %v", err)
	}
	if pids := familyOf(keeperOf(t)); len(pids) != 1 {
		t.Errorf("plugins after the first has left: %v, want the one", pids)
	}
	if err := <-second; !errors.Is(err, spawn.ErrTimeout) {
		t.Errorf("the second: %v", err)
	}
}

// TestFaultStartBehindOneThatWasGivenUp: a start that was given up is no error
// of those who come later.
func TestFaultStartBehindOneThatWasGivenUp(t *testing.T) {
	h := open(t, host.Config{Timeouts: faultLimits()})
	for range 20 {
		hurried, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		var wg sync.WaitGroup
		wg.Go(func() { h.StartMethod(hurried, "fault_exit", sh("true")) })
		<-hurried.Done() // its start is about to be given up, or is already
		if _, err := h.StartMethod(t.Context(), "fault_exit", sh("true")); !errors.Is(err, spawn.ErrPluginGone) {
			t.Errorf("behind one that gave up: %v", err)
		}
		wg.Wait()
		cancel()
		if err := h.Reset("fault_exit"); err != nil { // else there is a backoff, then no start at all
			t.Fatal(err)
		}
	}
}

// TestFaultPluginThatLeftIsReplaced: a plugin that closes the lane and lives on
// is of no use, and does not stand in the way of a new one.
func TestFaultPluginThatLeftIsReplaced(t *testing.T) {
	h := open(t, host.Config{Timeouts: faultLimits()})
	pids := map[int]bool{}
	for range 3 {
		_, err := h.StartMethod(t.Context(), "fault_lane_leave", sh("true"))
		var pe *host.PluginError
		if !errors.As(err, &pe) || pe.Ended {
			t.Fatalf("%v (%+v)", err, pe)
		}
		pids[pe.Pid] = true
	}
	if len(pids) != 3 {
		t.Errorf("plugins %v, want three", pids)
	}
	left := slices.DeleteFunc(linux.Children(keeperOf(t)), func(pid int) bool { return !alive(pid) })
	if len(left) > 1 {
		t.Errorf("below the keeper: %v, want the last one alone", left)
	}
}

// TestFaultDescendantsOfAPlugin: what a plugin leaves behind goes with the
// host, even if it has a session of its own.
func TestFaultDescendantsOfAPlugin(t *testing.T) {
	for _, mode := range []string{"panic_daemon", "daemon", "descendant"} {
		h, err := host.Open(host.Config{Timeouts: faultLimits()})
		if err != nil {
			t.Fatal(err)
		}
		defer h.Close()
		p, err := h.StartMethod(t.Context(), "fault_"+mode, sh("true"))
		if err == nil {
			wait(t, p, 5*time.Second)
		}
		pids := familyOf(keeperOf(t))
		if len(pids) == 0 {
			t.Errorf("%s: no descendant", mode)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		gone(t, 5*time.Second, pids...)
	}
}

// TestFaultDescendantsOfADeadPlugin: what a plugin leaves in its process group
// goes with the plugin.
func TestFaultDescendantsOfADeadPlugin(t *testing.T) {
	if err := linux.PidfdSignalGroup(-1, 0); errors.Is(err, syscall.EINVAL) {
		t.Skip("needs Linux 6.9, to signal a process group by pidfd")
	}
	h := open(t, host.Config{})
	p, err := h.StartMethod(t.Context(), "fault_descendant", sh("exec sleep 100"))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Kill()
	pids := slices.DeleteFunc(awaitFamily(t, 3), func(pid int) bool { return pid == p.Pid() })
	if len(pids) != 2 {
		t.Fatalf("processes %v, want the plugin and its descendant", pids)
	}
	for _, pid := range pids {
		if s, err := linux.ReadStat(pid); err == nil && s.Group == pid {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	gone(t, 5*time.Second, pids...)
	if !alive(p.Pid()) {
		t.Error("the child has gone, too")
	}
}

// TestFaultTemporaryFolder: plugins start wherever $TMPDIR points to.
func TestFaultTemporaryFolder(t *testing.T) {
	base := t.TempDir()
	long := filepath.Join(base, strings.Repeat("d", 150-len(base)-1))
	closed, file := filepath.Join(base, "closed"), filepath.Join(base, "file")
	for _, dir := range []string{long, closed} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(closed, 0o500); err != nil { // to root it is open, which does no harm
		t.Fatal(err)
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, dir := range map[string]string{"150 bytes": long, "unwritable": closed, "read-only": "/proc", "missing": base + "/none", "a file": file, "relative": "."} {
		t.Run(name, func(t *testing.T) {
			leakcheck.Check(t)
			t.Setenv("TMPDIR", dir)
			t.Setenv("XDG_RUNTIME_DIR", "")
			h := open(t, host.Config{})
			for _, key := range []string{"forkexec", "fault_stdout_line"} {
				p, err := h.StartMethod(t.Context(), key, sh("exit 4"))
				if err != nil {
					t.Fatal(err)
				}
				if s := wait(t, p, 10*time.Second); s.Code != 4 {
					t.Error(s)
				}
			}
		})
	}
}

// TestFaultBinary: the same in a binary of its own, whose file is named.
func TestFaultBinary(t *testing.T) {
	leakcheck.Check(t)
	dir, err := os.MkdirTemp("", "faults")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	var entries []registry.Entry
	for _, mode := range []string{"ok", "panic", "key_lie", "handshake_api_newer"} {
		path := filepath.Join(dir, "spawn-backend-fault_"+mode)
		linkFile(t, helperproc.Path(), path)
		entries = append(entries, registry.Entry{Key: registry.SpawnMethodKey("fault_" + mode), Path: path})
	}
	r, err := registry.New(entries...)
	if err != nil {
		t.Fatal(err)
	}
	h := open(t, host.Config{Registry: r, Method: "fault_ok", Timeouts: faultLimits()})
	if s := wait(t, start(t, h, sh("exit 6")), 10*time.Second); s.Code != 6 {
		t.Error(s)
	}
	for mode, kind := range map[string]error{"panic": spawn.ErrPluginGone, "key_lie": spawn.ErrProtocol, "handshake_api_newer": spawn.ErrVersion} {
		_, err := h.StartMethod(t.Context(), "fault_"+mode, sh("true"))
		var pe *host.PluginError
		if !errors.Is(err, kind) {
			t.Errorf("%s: %v, want %v", mode, err, kind)
		}
		if errors.As(err, &pe) && pe.Path != filepath.Join(dir, "spawn-backend-fault_"+mode) || mode == "panic" && pe == nil {
			t.Errorf("%s: %+v", mode, pe)
		}
	}
}

func linkFile(t *testing.T, from, to string) {
	t.Helper()
	if os.Link(from, to) == nil {
		return
	}
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
}
