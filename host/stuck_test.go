//go:build linux

package host_test

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// TestKeeperStopped: a keeper that does not answer costs no more than the
// bounds, at any stage, and takes no child with it into the dark.
func TestKeeperStopped(t *testing.T) {
	limits := host.Timeouts{Grace: 300 * time.Millisecond, Close: time.Second, Spawn: 500 * time.Millisecond}
	h, err := host.Open(host.Config{Timeouts: limits})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	p := ready(t, h, `trap "" TERM; echo; while :; do sleep 10; done`)
	keeper := keeperOf(t)
	descendants := append(linux.Children(keeper), linux.Children(p.Pid())...)
	stop(t, keeper)
	begin := time.Now()
	if _, err := h.Start(t.Context(), sh("true")); !errors.Is(err, spawn.ErrTimeout) || !strings.Contains(err.Error(), "the keeper does not answer") || strings.Contains(err.Error(), "SIGKILL") {
		t.Errorf("Start: %v, want a timeout of the keeper's", err)
	}
	if d := time.Since(begin); d > limits.Spawn+2500*time.Millisecond {
		t.Errorf("Start took %v", d)
	}
	begin = time.Now()
	if err := h.Close(); err != nil { // it wakes the keeper
		t.Error(err)
	}
	if d := time.Since(begin); d > limits.Grace+limits.Close+500*time.Millisecond {
		t.Errorf("Close took %v", d)
	}
	gone(t, 2*time.Second, append(descendants, keeper)...)
}

// TestPluginStopped: neither does a plugin that does not answer.
func TestPluginStopped(t *testing.T) {
	limits := host.Timeouts{Grace: 300 * time.Millisecond, Close: 2 * time.Second, Spawn: 500 * time.Millisecond, Call: 300 * time.Millisecond}
	h, err := host.Open(host.Config{Timeouts: limits})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	wait(t, start(t, h, sh("true")), 10*time.Second)
	plugins := linux.Children(keeperOf(t))
	for _, pid := range plugins {
		stop(t, pid)
	}
	spec := sh("true")
	spec.Session = true // the plugin has to be asked
	begin := time.Now()
	if _, err := h.Start(t.Context(), spec); !errors.Is(err, spawn.ErrTimeout) {
		t.Errorf("Start: %v, want a timeout", err)
	}
	if d := time.Since(begin); d > 2*time.Second {
		t.Errorf("Start took %v", d)
	}
	begin = time.Now()
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	if d := time.Since(begin); d > limits.Grace+limits.Close+500*time.Millisecond {
		t.Errorf("Close took %v", d)
	}
	gone(t, 2*time.Second, plugins...)
}

// stands reports whether every thread of a process is stopped, or it is gone.
func stands(pid int) bool {
	tasks, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	for _, task := range tasks {
		tid, _ := strconv.Atoi(task.Name())
		if s, err := linux.ReadStat(tid); err == nil && s.State != 'T' {
			return false
		}
	}
	return true
}

// stop stops a process and waits until it has.
func stop(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(5 * time.Second); ; <-tick.C {
		if stands(pid) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("process %d does not stop", pid)
		}
	}
}
