//go:build linux

package host_test

import (
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/faultplugin"
	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// faultLimits are the bounds of a host that has to do with broken plugins. What
// bounds a start or a spawn is not reached on a busy machine either.
func faultLimits() host.Timeouts {
	return host.Timeouts{
		Start: 10 * time.Second, Spawn: 10 * time.Second, Call: 500 * time.Millisecond,
		Grace: 300 * time.Millisecond, Close: 3 * time.Second,
	}
}

// faultStart bounds a start that is to reach its bound.
const faultStart = 1500 * time.Millisecond

// faultSlack is what may be added to a bound on a busy machine.
const faultSlack = 2 * time.Second

// TestEveryFault: a plugin may be broken in any way of the table, and ends in
// the error that the table says, within its bound. The same host starts a good
// child afterwards, and nothing is left.
func TestEveryFault(t *testing.T) {
	for _, m := range faultplugin.Modes() {
		t.Run(m.Name, func(t *testing.T) {
			if testing.Short() && errors.Is(m.Kind, spawn.ErrTimeout) {
				t.Skip("it takes the whole of a timeout: not with -short")
			}
			leakcheck.Check(t)
			limits := faultLimits()
			if m.Kind == spawn.ErrTimeout {
				limits.Start, limits.Spawn = faultStart, 2*time.Second
			}
			h, err := host.Open(host.Config{Timeouts: limits})
			if err != nil {
				t.Fatal(err)
			}
			defer h.Close()
			good := func(when string) {
				t.Helper()
				if s := wait(t, start(t, h, sh("exit 5")), 10*time.Second); s.Code != 5 {
					t.Errorf("a good child %s: %v", when, s)
				}
			}
			good("before")
			holdFault(t, h, m, limits)
			good("afterwards")
			begin := time.Now()
			if err := h.Close(); err != nil {
				t.Error("Close: ", err)
			}
			if d := time.Since(begin); d > limits.Grace+limits.Close+faultSlack {
				t.Errorf("Close took %v", d)
			}
		})
	}
}

// holdFault starts a child by the method of a mode, and holds what comes of it
// against the table.
func holdFault(t *testing.T, h *host.Host, m faultplugin.Mode, limits host.Timeouts) {
	t.Helper()
	begin := time.Now()
	p, err := h.StartMethod(t.Context(), string(m.Key()), sh("exit 3"))
	took, bound := time.Since(begin), time.Second
	t.Log(took, err)
	switch {
	case m.Kind == spawn.ErrTimeout && m.Stage == faultplugin.AtStart:
		bound = limits.Start
	case m.Kind == spawn.ErrTimeout:
		bound = limits.Spawn
	}
	if raceEnabled {
		bound += 3 * time.Second // that is how long 48 MiB take then
	}
	if took > bound+faultSlack {
		t.Errorf("it took %v, want %v at most", took, bound)
	}
	switch m.Stage {
	case faultplugin.AtStart, faultplugin.AtSpawn:
		checkFault(t, m, err)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	s := waitAny(t, p)
	switch {
	case m.Stage == faultplugin.Works && s.Code != 3:
		t.Errorf("status %v, want 3", s)
	case m.Stage == faultplugin.AtExit && s.Source != spawn.Lost:
		t.Errorf("status %v, want lost", s)
	}
	for _, text := range m.Says {
		if !strings.Contains(s.Reason, text) {
			t.Errorf("no %q in %q", text, s.Reason)
		}
	}
}

// waitAny waits for a child whose status may be lost.
func waitAny(t *testing.T, p *host.Process) spawn.ExitStatus {
	t.Helper()
	select {
	case <-p.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("the child has not ended, or nobody has said so")
	}
	s, _ := p.Wait()
	return s
}

// checkFault checks the error of a plugin that cannot be used.
func checkFault(t *testing.T, m faultplugin.Mode, err error) {
	t.Helper()
	var e *spawn.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want an *spawn.Error", err)
	}
	if m.Kind != nil && !errors.Is(err, m.Kind) {
		t.Errorf("got %v, want %v", e.Kind, m.Kind)
	}
	if e.Key != string(m.Key()) || e.Phase == "" || (e.Phase == spawn.PhaseStart) != (m.Stage == faultplugin.AtStart) {
		t.Errorf("key %q, phase %q: want %q, and start only for a plugin that cannot be started", e.Key, e.Phase, m.Key())
	}
	for _, text := range m.Says {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("no %q in: %v", text, err)
		}
	}
	if n := len(err.Error()); n > 66<<10 || n > 5<<10 && m.Name != "lane_wordy" {
		t.Errorf("%d bytes of text: %.1000s", n, err)
	}
	var pe *host.PluginError
	if m.Kind == spawn.ErrPluginGone && !errors.As(err, &pe) {
		t.Errorf("nothing is known of the process: %#v", e)
	}
}

// TestFaultMemory: what a plugin writes does not pile up in the host.
func TestFaultMemory(t *testing.T) {
	const limit = 4 << 20
	allocated := func() uint64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.TotalAlloc
	}
	for _, m := range faultplugin.Modes() {
		switch m.Name {
		case "stdout_lines", "stdout_mebibyte", "flood", "flood_later", "handshake_lines", "handshake_mebibyte", "handshake_huge", "describe_huge":
		default:
			continue
		}
		t.Run(m.Name, func(t *testing.T) {
			h := open(t, host.Config{Timeouts: faultLimits()})
			before := allocated()
			p, err := h.StartMethod(t.Context(), string(m.Key()), sh("exit 3"))
			if err == nil {
				wait(t, p, 10*time.Second)
			}
			if err := h.Close(); err != nil {
				t.Error(err)
			}
			if n := allocated() - before; n > limit {
				t.Errorf("%d bytes were allocated, want %d at most", n, limit)
			} else {
				t.Log(n)
			}
		})
	}
}

// TestFaultLastWords: a program has all of what a plugin wrote last, 64 KiB,
// and a person the part that counts.
func TestFaultLastWords(t *testing.T) {
	h := open(t, host.Config{Timeouts: faultLimits()})
	_, err := h.StartMethod(t.Context(), "fault_flood_panic", sh("true"))
	var pe *host.PluginError
	if !errors.As(err, &pe) {
		t.Fatal(err)
	}
	if !pe.Ended || pe.Status.Code != 2 || pe.Pid <= 0 || pe.Path != "" {
		t.Errorf("%+v", pe)
	}
	if len(pe.Stderr) != 64<<10 || !strings.Contains(string(pe.Stderr), "panic: the well is dry\n\ngoroutine ") {
		t.Errorf("%d bytes of standard error, which end %q", len(pe.Stderr), pe.Stderr[max(0, len(pe.Stderr)-200):])
	}
	text := err.Error()
	if at := strings.Index(text, "panic: the well is dry"); at < 0 || at > 300 || len(text) > 3<<10 {
		t.Errorf("%d bytes of text: %s", len(text), text)
	}
}

// familyOf returns the descendants of a process.
func familyOf(pid int) []int {
	var all []int
	for _, c := range linux.Children(pid) {
		all = append(append(all, c), familyOf(c)...)
	}
	return all
}

// awaitFamily waits until the keeper of this process has n descendants, and returns
// them.
func awaitFamily(t *testing.T, n int) []int {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(5 * time.Second); ; <-tick.C {
		if all := familyOf(keeperOf(t)); len(all) >= n {
			return all
		}
		if time.Now().After(end) {
			t.Fatalf("there are no %d processes below the keeper", n)
		}
	}
}
