//go:build linux

package host_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/keeper"
	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

var soakTime = flag.Duration("soak", 10*time.Second, "how long TestSoak goes on")

const (
	// soakRound is how long a host lives.
	soakRound = time.Second
	// soakGrowth is what the heap may have grown by in the end.
	soakGrowth = 8 << 20
)

// TestSoak does everything to hosts that can be done to them, at random, at the
// same time: spawns, stops, kills, cancellations, nurseries that fail, deaths of
// plugins and keepers. After each host nothing may be left of it. It says how
// often it did what.
func TestSoak(t *testing.T) {
	if testing.Short() {
		t.Skip("takes ten seconds")
	}
	runtimeDir := t.TempDir()
	must(t, os.Chmod(runtimeDir, 0o700))
	t.Setenv("XDG_RUNTIME_DIR", runtimeDir)
	done := &tally{counts: map[string]int{}}
	defer func() { t.Log(done) }()
	var heap uint64
	for begin := time.Now(); time.Since(begin) < *soakTime && !t.Failed(); {
		before := leakcheck.Take()
		s := &soak{t: t, done: done, mark: newMark()}
		s.round()
		left := marked(s.mark)
		if s.keeperKilled.Load() { // what its children had started is beyond reach
			for _, pid := range left {
				syscall.Kill(pid, syscall.SIGKILL)
			}
			gone(t, 2*time.Second, left...)
		} else if len(left) > 0 {
			t.Errorf("processes left: %v", left)
		}
		unborn(t, runtimeDir)
		if left := before.Left(leakcheck.Patience); len(left) > 0 {
			t.Errorf("left after a host:\n%q", left)
		}
		if left, err := filepath.Glob(runtimeDir + "/*/*"); err != nil || len(left) > 0 {
			t.Errorf("folders left: %v, %v", left, err)
		}
		done.add("hosts")
		if now := heapInUse(); heap == 0 {
			heap = now
		} else if now > heap+soakGrowth {
			t.Errorf("the heap has grown from %d to %d bytes", heap, now)
		}
	}
}

// unborn looks for what a keeper has left that it had cloned, and that has not
// become its program: it has the keeper's command line, in which the folder is.
func unborn(t *testing.T, runtimeDir string) {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		if b, err := os.ReadFile(file); err == nil && bytes.HasPrefix(b, []byte(keeper.Name)) && bytes.Contains(b, []byte(runtimeDir)) {
			var pid int
			fmt.Sscanf(file, "/proc/%d/", &pid)
			gone(t, 2*time.Second, pid)
		}
	}
}

func heapInUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A tally counts what was done.
type tally struct {
	mu     sync.Mutex
	counts map[string]int
}

func (c *tally) add(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts[what]++
}

func (c *tally) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var s string
	for _, what := range slices.Sorted(maps.Keys(c.counts)) {
		s += fmt.Sprintf("\n%7d %s", c.counts[what], what)
	}
	return s
}

// A soak is the life of one host.
type soak struct {
	t    *testing.T
	h    *host.Host
	done *tally
	mark string

	pluginHurt, keeperKilled atomic.Bool
}

func (s *soak) round() {
	h, err := host.Open(host.Config{Timeouts: host.Timeouts{
		Spawn: 5 * time.Second, Call: time.Second, Grace: 100 * time.Millisecond, Close: 10 * time.Second,
	}})
	must(s.t, err)
	s.h = h
	ctx, cancel := context.WithTimeout(context.Background(), soakRound)
	defer cancel()
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			for ctx.Err() == nil {
				s.act(ctx)
			}
		})
	}
	all.Go(func() { s.hurt(ctx) })
	if rand.N(3) > 0 { // otherwise Close comes in the middle of it
		all.Wait()
	}
	<-ctx.Done()
	if err := h.Close(); err != nil && !s.keeperKilled.Load() {
		s.t.Error("Close: ", err)
	}
	all.Wait()
}

// act does one thing.
func (s *soak) act(ctx context.Context) {
	acts := []struct {
		name string
		f    func(context.Context)
	}{
		{"exits", s.exit}, {"stops", s.stop}, {"stops of stubborn children", s.stubborn}, {"kills", s.kill},
		{"kills of trees", s.tree}, {"cancellations", s.cancel}, {"probes", s.probe},
		{"nurseries that fail", s.failing}, {"nurseries that are canceled", s.canceled},
	}
	a := acts[rand.N(len(acts))]
	a.f(ctx)
	s.done.add(a.name)
}

// start starts a script, in one of several shapes, which may fail for what was
// done to plugin or keeper, and for Close.
func (s *soak) start(ctx context.Context, script string) *host.Process {
	spec := s.spec(script)
	p, err := s.h.Start(ctx, spec)
	s.check("start", err)
	if err != nil {
		return nil
	}
	s.done.add("spawns")
	return p
}

func (s *soak) spec(script string) spawn.Spec {
	return spawn.Spec{
		Path: "sh", Args: []string{"sh", "-c", script, s.mark},
		Session: rand.N(4) == 0, NoNewPrivs: rand.N(4) == 0,
	}
}

// check complains of errors that nobody has brought about.
func (s *soak) check(what string, err error) {
	switch {
	case err == nil, errors.Is(err, spawn.ErrClosed), errors.Is(err, spawn.ErrCanceled), errors.Is(err, context.DeadlineExceeded),
		errors.Is(err, context.Canceled):
	case s.pluginHurt.Load() && (errors.Is(err, spawn.ErrPluginGone) || errors.Is(err, spawn.ErrBroken) || errors.Is(err, spawn.ErrTimeout)):
	case s.keeperKilled.Load() && (errors.Is(err, spawn.ErrKeeperGone) || errors.Is(err, spawn.ErrPluginGone) || errors.Is(err, spawn.ErrBroken) || errors.Is(err, spawn.ErrLost)):
	default:
		s.t.Errorf("%s: %v", what, err)
		return
	}
	if err != nil {
		s.done.add("errors, as they should be")
	}
}

// ended waits for a child, whose status must be one of those that ok accepts,
// or of one that was stopped with its host, or lost with its keeper.
func (s *soak) ended(p *host.Process, ok func(spawn.ExitStatus) bool) {
	select {
	case <-p.Done():
	case <-time.After(10 * time.Second):
		now, err := linux.ReadStat(p.Pid())
		s.t.Errorf("child %d has not ended, or nobody has said so: %+v, %v; forced %v, keeper killed %v",
			p.Pid(), now, err, p.Forced(), s.keeperKilled.Load())
		p.Kill()
		return
	}
	st, _ := p.Wait()
	switch {
	case ok(st):
	case st.Source == spawn.Lost && s.keeperKilled.Load():
		s.done.add("statuses lost with the keeper")
	case st.Signal == syscall.SIGTERM || st.Signal == syscall.SIGKILL:
		if _, err := s.h.Start(context.Background(), s.spec("exit 0")); !errors.Is(err, spawn.ErrClosed) && !s.keeperKilled.Load() {
			s.t.Errorf("status %+v, though the host is open: %v", st, err)
		}
	default:
		s.t.Errorf("status %+v", st)
	}
}

func (s *soak) exit(ctx context.Context) {
	code := rand.N(256)
	if p := s.start(ctx, fmt.Sprintf("exit %d", code)); p != nil {
		s.ended(p, func(st spawn.ExitStatus) bool { return st.Code == code })
	}
}

func (s *soak) stop(ctx context.Context) {
	if p := s.start(ctx, "exec sleep $0"); p != nil {
		_, err := p.Stop(context.Background())
		s.check("stop", err)
		s.ended(p, func(st spawn.ExitStatus) bool { return st.Signal == syscall.SIGTERM || p.Forced() })
	}
}

func (s *soak) stubborn(ctx context.Context) {
	if p := s.start(ctx, `trap "" TERM; sleep $0 & wait; exec sleep $0`); p != nil {
		_, err := p.Stop(context.Background())
		s.check("stop", err)
		s.ended(p, func(st spawn.ExitStatus) bool { return st.Signal == syscall.SIGKILL || st.Signal == syscall.SIGTERM })
	}
}

// killed kills a child.
func (s *soak) killed(p *host.Process) {
	if err := p.Kill(); !errors.Is(err, os.ErrProcessDone) {
		s.check("kill", err)
	}
}

func (s *soak) kill(ctx context.Context) {
	if p := s.start(ctx, "exec sleep $0"); p != nil {
		s.killed(p)
		s.ended(p, func(st spawn.ExitStatus) bool { return st.Signal == syscall.SIGKILL })
	}
}

func (s *soak) tree(ctx context.Context) {
	if p := s.start(ctx, `(setsid sleep $0 &); sleep $0 & sh -c 'sleep $0 & wait' $0 & wait`); p != nil {
		s.killed(p)
		s.ended(p, func(st spawn.ExitStatus) bool { return st.Signal == syscall.SIGKILL })
	}
}

func (s *soak) cancel(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, rand.N(5*time.Millisecond))
	defer cancel()
	if p := s.start(ctx, "exec sleep $0"); p != nil {
		s.killed(p)
		s.ended(p, func(st spawn.ExitStatus) bool { return st.Signal == syscall.SIGKILL })
	}
}

func (s *soak) probe(ctx context.Context) { s.check("probe", s.h.Probe(ctx, "forkexec")) }

func (s *soak) failing(ctx context.Context) {
	err := s.h.Nursery(ctx, host.NurseryConfig{}, func(ctx context.Context, n *host.Nursery) error {
		for i := range 4 {
			script := "exec sleep $0"
			if i == 2 {
				script = "exit 7"
			}
			if _, err := n.Start(ctx, host.ChildConfig{Name: fmt.Sprint(i), Spec: s.spec(script)}); err != nil {
				return err
			}
		}
		return nil
	})
	var exit *spawn.ExitError
	if !errors.As(err, &exit) || exit.Code != 7 {
		s.check("nursery", err)
	}
}

func (s *soak) canceled(ctx context.Context) {
	err := s.h.Nursery(ctx, host.NurseryConfig{StopAtEnd: true}, func(ctx context.Context, n *host.Nursery) error {
		for i := range 4 {
			cfg := host.ChildConfig{Name: fmt.Sprint(i), Spec: s.spec("exec sleep $0"), Restart: host.Restart{Max: 3, MinDelay: time.Millisecond}}
			c, err := n.Start(ctx, cfg)
			if err != nil {
				return err
			}
			if i == 1 {
				c.Process().Kill() // and it is started again
			}
		}
		return nil
	})
	s.check("nursery", err)
}

// hurt kills and stops the plugin, and in one of four rounds the keeper.
func (s *soak) hurt(ctx context.Context) {
	killKeeper := rand.N(4) == 0
	for ctx.Err() == nil {
		timer := time.NewTimer(rand.N(400 * time.Millisecond))
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		st, err := s.h.Health("forkexec")
		must(s.t, err)
		switch kids := linux.Children(os.Getpid()); {
		case killKeeper && len(kids) == 1:
			s.keeperKilled.Store(true)
			syscall.Kill(kids[0], syscall.SIGKILL)
			s.done.add("keepers killed")
			killKeeper = false
		case st.Pid != 0:
			s.pluginHurt.Store(true)
			syscall.Kill(st.Pid, []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGSEGV}[rand.N(3)])
			s.done.add("plugins killed")
		}
		s.h.Reset("forkexec") // many deaths within a minute are the point
	}
}
