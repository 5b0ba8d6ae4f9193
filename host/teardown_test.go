//go:build linux

package host_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// TestCloseInTheMiddleOfEverything closes a host with children that do not obey,
// spawns that are stuck in the plugin and before the exec, a plugin being
// started, plugins that do not end and a callback that does not return. It is
// closed by many at once, within its bound, and says what it had to kill.
func TestCloseInTheMiddleOfEverything(t *testing.T) {
	leakcheck.Check(t)
	limits := host.Timeouts{Grace: time.Second, Close: 2 * time.Second}
	stuck := make(chan struct{})
	defer close(stuck)
	h, err := host.Open(host.Config{Timeouts: limits, OnEvent: func(host.Event) { <-stuck }})
	must(t, err)
	defer h.Close()
	var procs []*host.Process
	var want []string
	for range 5 {
		p := ready(t, h, `trap "" TERM; echo; while :; do sleep 100; done`)
		procs = append(procs, p)
		want = append(want, fmt.Sprintf("child %d", p.Pid()))
	}
	obedient := ready(t, h, `echo; exec sleep 100`)
	for _, key := range []string{"fault_shutdown_hang", "fault_stubborn"} {
		p, err := h.StartMethod(t.Context(), key, sh("exit 0"))
		must(t, err)
		wait(t, p, 10*time.Second)
		want = append(want, "plugin "+key)
	}
	var callers sync.WaitGroup
	for _, key := range []string{"fault_plan_blocks", "fault_plan_hang", "fault_hang"} {
		callers.Go(func() {
			_, err := h.StartMethod(context.Background(), key, sh("true"))
			if !errors.Is(err, spawn.ErrClosed) && !errors.Is(err, spawn.ErrCanceled) {
				t.Errorf("%s: %v", key, err)
			}
		})
	}
	awaitFamily(t, 5*2+1+6+1) // shells and sleeps, the obedient, plugins, the one before its exec
	family := append(familyOf(keeperOf(t)), keeperOf(t))
	begin := time.Now()
	for range 3 {
		callers.Go(func() {
			if err := h.Close(); err != nil {
				t.Error("Close: ", err)
			}
			if d := time.Since(begin); d < limits.Grace || d > limits.Grace+limits.Close+faultSlack/4 {
				t.Errorf("Close took %v", d)
			}
		})
	}
	callers.Wait()
	must(t, h.Close())
	gone(t, 0, family...)
	for _, p := range procs {
		if s := wait(t, p, time.Second); s.Signal != syscall.SIGKILL || !p.Forced() {
			t.Errorf("a child that does not obey: %v", s)
		}
	}
	if s := wait(t, obedient, time.Second); s.Signal != syscall.SIGTERM || obedient.Forced() {
		t.Errorf("a child that obeys: %v", s)
	}
	got := h.Forced()
	for _, w := range want {
		if !slices.Contains(got, w) {
			t.Errorf("%q is not among what was forced: %q", w, got)
		}
	}
	if slices.Contains(got, fmt.Sprintf("child %d", obedient.Pid())) || slices.Contains(got, "plugin forkexec") {
		t.Errorf("%q: some of them ended by themselves", got)
	}
}

// TestStubbornChildrenTakeOneGrace: 25 of them, and the grace of 3 s.
func TestStubbornChildrenTakeOneGrace(t *testing.T) {
	if testing.Short() {
		t.Skip("takes three seconds")
	}
	const grace = 3 * time.Second
	h := open(t, host.Config{Timeouts: host.Timeouts{Grace: grace}})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var begin time.Time
	var members []*host.Child
	h.Nursery(ctx, host.NurseryConfig{}, func(ctx context.Context, n *host.Nursery) error {
		up := newReadiness(t)
		for i := range 25 {
			cfg := member(fmt.Sprint(i), `trap "" TERM INT HUP QUIT; echo; while :; do sleep 100; done`)
			cfg.Spec.Files = []*os.File{nil, up.w}
			members = append(members, enlist(t, n, cfg)...)
		}
		up.wait(25)
		begin = time.Now()
		cancel()
		return nil
	})
	if d := time.Since(begin); d < grace || d > grace+time.Second {
		t.Errorf("it took %v, want between 3 s and 4 s", d)
	}
	for _, c := range members {
		if s := wait(t, c.Process(), time.Second); s.Signal != syscall.SIGKILL || !c.Process().Forced() {
			t.Errorf("status %v", s)
		}
	}
}

// TestStarterEnds: children do not end with the thread that started them, nor
// with the one that opened the host.
func TestStarterEnds(t *testing.T) {
	var h *host.Host
	var procs []*host.Process
	onBriefThread(t, func() {
		h = open(t, host.Config{})
		procs = append(procs, start(t, h, sh("exec sleep 100")))
	})
	onBriefThread(t, func() { procs = append(procs, start(t, h, sh("exec sleep 100"))) })
	<-time.After(200 * time.Millisecond) // what does not happen is no event
	for _, p := range procs {
		if !alive(p.Pid()) {
			t.Errorf("child %d ended with the thread that started it", p.Pid())
		}
		must(t, p.Signal(syscall.SIGUSR1))
		if s := wait(t, p, 10*time.Second); s.Signal != syscall.SIGUSR1 {
			t.Errorf("status %v", s)
		}
	}
}

// onBriefThread runs f on a thread that ends then.
func onBriefThread(t *testing.T, f func()) {
	t.Helper()
	tids := make(chan int)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine …
		if syscall.Gettid() == os.Getpid() {
			onBriefThread(t, f) // … but for the first one, which stays
			runtime.UnlockOSThread()
			tids <- 0
			return
		}
		defer func() { tids <- syscall.Gettid() }() // also when the test is over
		f()
	}()
	tid := <-tids
	if tid == 0 {
		return
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(5 * time.Second); ; <-tick.C {
		if _, err := os.Stat(fmt.Sprintf("/proc/self/task/%d", tid)); err != nil {
			return
		}
		if time.Now().After(end) {
			t.Error("the thread does not end")
			return
		}
	}
}

// TestProbeOfADyingPlugin: a plugin that dies as it is asked is asked again, as
// a new process.
func TestProbeOfADyingPlugin(t *testing.T) {
	hi := newHistory(t)
	h := open(t, host.Config{OnEvent: hi.event})
	for range 4 {
		must(t, h.Probe(t.Context(), "forkexec"))
		pid := hi.until(host.PluginReady, 10*time.Second).Pid
		must(t, syscall.Kill(pid, syscall.SIGKILL), h.Probe(t.Context(), "forkexec"))
		must(t, h.Reset("forkexec"))
	}
	if _, err := h.Describe(t.Context(), "forkexec"); err != nil {
		t.Error(err)
	}
}

// A stopped plugin makes calls fail by their deadline, and not Close.
func TestProbeOfAStoppedPlugin(t *testing.T) {
	limits := host.Timeouts{Start: 700 * time.Millisecond, Call: 300 * time.Millisecond, Grace: 300 * time.Millisecond}
	hi := newHistory(t)
	h, err := host.Open(host.Config{OnEvent: hi.event})
	must(t, err)
	must(t, h.Probe(t.Context(), "forkexec"), h.Close())
	h, err = host.Open(host.Config{Timeouts: limits, OnEvent: hi.event})
	must(t, err)
	defer h.Close()
	hi.until(host.PluginReady, 10*time.Second)
	if err := h.Probe(t.Context(), "forkexec"); err != nil {
		t.Skip("the machine is too busy to start a plugin in 700 ms: ", err)
	}
	stop(t, hi.until(host.PluginReady, 10*time.Second).Pid)
	begin := time.Now()
	err = h.Probe(t.Context(), "forkexec")
	if d := time.Since(begin); !errors.Is(err, spawn.ErrTimeout) || d > limits.Start+faultSlack {
		t.Errorf("after %v: %v", d, err)
	}
	if err != nil && !strings.Contains(err.Error(), "forkexec") {
		t.Errorf("it does not say who: %v", err)
	}
	limits.Close = 2 * time.Second
	closesWithin(t, h, limits)
}
