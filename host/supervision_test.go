//go:build linux

package host_test

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// history collects the states of a plugin.
type history struct {
	t      testing.TB
	states chan host.Health
}

func newHistory(t testing.TB) *history { return &history{t, make(chan host.Health, 1000)} }

func (hi *history) event(e host.Event) {
	if c, ok := e.(host.PluginChanged); ok {
		hi.states <- c.Health
	}
}

// until waits until the plugin enters a state.
func (hi *history) until(s host.PluginState, limit time.Duration) host.Health {
	hi.t.Helper()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		select {
		case h := <-hi.states:
			if h.State == s {
				return h
			}
		case <-timer.C:
			hi.t.Fatalf("the plugin is not %s within %v", s, limit)
		}
	}
}

func health(t *testing.T, h *host.Host, key string) host.Health {
	t.Helper()
	s, err := h.Health(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A plugin that is killed is noticed and started again, though nobody asks for
// it, and though a descendant holds its output open.
func TestPluginIsStartedAgain(t *testing.T) {
	hi := newHistory(t)
	h := open(t, host.Config{OnEvent: hi.event})
	if s := health(t, h, "forkexec"); s.State != host.PluginIdle || s.Pid != 0 {
		t.Errorf("before it was needed: %+v", s)
	}
	wait(t, start(t, h, sh("exit 0")), 10*time.Second)
	for n := range 3 {
		pid := hi.until(host.PluginReady, 10*time.Second).Pid
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		s := hi.until(host.PluginBackoff, 10*time.Second)
		if s.Failures != n+1 || !strings.Contains(s.Reason.Error(), "killed") || !errors.Is(s.Reason, spawn.ErrPluginGone) {
			t.Errorf("after crash %d: %+v", n+1, s)
		}
		hi.until(host.PluginStarting, 10*time.Second)
		if d := time.Since(begin); n == 0 && d > 500*time.Millisecond+faultSlack {
			t.Errorf("it took %v to start it again", d)
		}
	}
	hi.until(host.PluginReady, 10*time.Second)
	if s := health(t, h, "forkexec"); s.Failures != 3 || s.Reason == nil {
		t.Errorf("just ready: %+v", s)
	}
	h.AgePlugin("forkexec", time.Minute)
	if s := health(t, h, "forkexec"); s.Failures != 0 || s.Reason != nil {
		t.Errorf("when it has been ready for a minute: %+v", s)
	}
	spec := sh("exit 4")
	spec.NoNewPrivs = true // of another shape: the plugin has to be asked
	if s := wait(t, start(t, h, spec), 10*time.Second); s.Code != 4 {
		t.Errorf("a child afterwards: %v", s)
	}
}

// A plugin that dies at every start is given up, says why, and is revived.
func TestPluginThatFailsTooOftenIsBroken(t *testing.T) {
	const key = "fault_exit"
	hi := newHistory(t)
	h := open(t, host.Config{OnEvent: hi.event})
	starts, refused := 0, false
	begin := time.Now()
	for !refused {
		_, err := h.StartMethod(t.Context(), key, sh("exit 0"))
		switch {
		case err == nil:
			t.Fatal("it was started")
		case errors.Is(err, spawn.ErrBroken):
			refused = true
			var e *spawn.Error
			if !errors.As(err, &e) || e.Retryable() || !strings.Contains(err.Error(), "Reset") {
				t.Errorf("%v, retryable %v", err, e.Retryable())
			}
			var pe *host.PluginError
			if !errors.As(err, &pe) || !pe.Ended {
				t.Errorf("its last words are lost: %v", err)
			}
		default:
			starts++
		}
	}
	if d := time.Since(begin); starts != 5 || d < 500*time.Millisecond || d > 20*time.Second {
		t.Errorf("%d starts in %v", starts, d)
	}
	s := health(t, h, key)
	if s.State != host.PluginBroken || s.Failures != 5 || s.Reason == nil {
		t.Errorf("%+v", s)
	}
	begin = time.Now()
	if _, err := h.StartMethod(t.Context(), key, sh("exit 0")); !errors.Is(err, spawn.ErrBroken) || time.Since(begin) > faultSlack {
		t.Errorf("%v after %v", err, time.Since(begin))
	}
	if err := h.Reset(key); err != nil {
		t.Error(err)
	}
	if s := health(t, h, key); s.State != host.PluginIdle || s.Reason != nil {
		t.Errorf("after Reset: %+v", s)
	}
	if _, err := h.StartMethod(t.Context(), key, sh("exit 0")); errors.Is(err, spawn.ErrBroken) {
		t.Errorf("after Reset: %v", err)
	}
	if s := wait(t, start(t, h, sh("exit 6")), 10*time.Second); s.Code != 6 {
		t.Errorf("another method: %v", s)
	}
}

// Whoever cannot wait for the end of the backoff is told at once.
func TestPluginInBackoffRefusesTheHasty(t *testing.T) {
	const key = "fault_exit"
	h := open(t, host.Config{})
	for range 4 { // the backoff is 400 ms at least then
		if _, err := h.StartMethod(t.Context(), key, sh("exit 0")); err == nil {
			t.Fatal("it was started")
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := h.StartMethod(ctx, key, sh("exit 0"))
	var e *spawn.Error
	if !errors.Is(err, spawn.ErrPluginGone) || !errors.As(err, &e) || !e.Retryable() || !strings.Contains(err.Error(), "failed 4 times") {
		t.Errorf("%v", err)
	}
	if ctx.Err() != nil {
		t.Error("it has waited for nothing")
	}
}

// What was not executed is no failure of the plugin.
func TestPluginThatCannotBeExecutedIsNotBroken(t *testing.T) {
	h := open(t, host.Config{})
	for range 8 {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := h.StartMethod(ctx, "fault_exit", sh("exit 0")); errors.Is(err, spawn.ErrBroken) {
			t.Fatal(err)
		}
	}
	if s := health(t, h, "fault_exit"); s.State != host.PluginIdle {
		t.Errorf("%+v", s)
	}
}

// A plugin that nobody needs is ended, and started again when it is needed.
func TestIdlePluginIsEnded(t *testing.T) {
	hi := newHistory(t)
	h := open(t, host.Config{OnEvent: hi.event, Timeouts: host.Timeouts{Idle: 50 * time.Millisecond}})
	wait(t, start(t, h, sh("exit 0")), 10*time.Second)
	pid := hi.until(host.PluginReady, 10*time.Second).Pid
	if s := hi.until(host.PluginIdle, 10*time.Second); s.Reason != nil {
		t.Errorf("%+v", s)
	}
	gone(t, 10*time.Second, pid)
	spec := sh("exit 3")
	spec.NoNewPrivs = true
	if s := wait(t, start(t, h, spec), 10*time.Second); s.Code != 3 {
		t.Errorf("afterwards: %v", s)
	}
	if again := hi.until(host.PluginReady, 10*time.Second).Pid; again == pid {
		t.Errorf("process %d again", pid)
	}
}

// Two nurseries share a plugin; after the last one it is ended.
func TestNurseriesShareAPlugin(t *testing.T) {
	hi := newHistory(t)
	h := open(t, host.Config{OnEvent: hi.event, Timeouts: host.Timeouts{Idle: 20 * time.Millisecond}})
	err := h.Nursery(t.Context(), host.NurseryConfig{}, func(ctx context.Context, n *host.Nursery) error {
		enlist(t, n, member("a", "exit 0"))
		pid := hi.until(host.PluginReady, 10*time.Second).Pid
		err := h.Nursery(ctx, host.NurseryConfig{}, func(ctx context.Context, n *host.Nursery) error {
			enlist(t, n, member("b", "sleep 0.1"))
			return nil
		})
		<-time.After(5 * 20 * time.Millisecond) // it could be ended meanwhile
		if s := health(t, h, "forkexec"); s.State != host.PluginReady || s.Pid != pid {
			t.Errorf("it was not kept: %+v", s)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	hi.until(host.PluginIdle, 10*time.Second)
}

func TestHealthOfAnUnknownMethod(t *testing.T) {
	h := open(t, host.Config{})
	if _, err := h.Health("nonesuch"); !errors.Is(err, spawn.ErrUnknownMethod) {
		t.Error(err)
	}
	if err := h.Reset("nonesuch"); !errors.Is(err, spawn.ErrUnknownMethod) {
		t.Error(err)
	}
}
