//go:build linux

package host_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// member is a child of a nursery that runs a script.
func member(name, script string) host.ChildConfig {
	return host.ChildConfig{Name: name, Spec: sh(script)}
}

// sleeper runs until it is ended.
func sleeper(name string) host.ChildConfig { return member(name, "exec sleep 600") }

// enlist starts children, which the test is sure of.
func enlist(t testing.TB, n *host.Nursery, cfgs ...host.ChildConfig) []*host.Child {
	t.Helper()
	var children []*host.Child
	for _, cfg := range cfgs {
		c, err := n.Start(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		children = append(children, c)
	}
	return children
}

// names returns the children that errors are about, sorted.
func names(t testing.TB, errs []error) []string {
	t.Helper()
	var out []string
	for _, err := range errs {
		var c *host.ChildError
		if !errors.As(err, &c) {
			t.Errorf("no child's: %v", err)
			continue
		}
		out = append(out, c.Name)
	}
	slices.Sort(out)
	return out
}

// A readiness is where children say that they are up, by a line each.
type readiness struct {
	t    testing.TB
	r, w *os.File
}

func newReadiness(t testing.TB) *readiness {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return &readiness{t, r, w}
}

// wait waits for n children.
func (r *readiness) wait(n int) {
	r.t.Helper()
	r.r.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.ReadFull(r.r, make([]byte, n)); err != nil {
		r.t.Error("the children are not up: ", err)
	}
}

// nurseryError returns err as what it has to be.
func nurseryError(t testing.TB, err error) *host.NurseryError {
	t.Helper()
	var e *host.NurseryError
	if !errors.As(err, &e) {
		t.Fatalf("%v (%T), want a NurseryError", err, err)
	}
	return e
}

func TestNurseryWaitsForAll(t *testing.T) {
	h := open(t, host.Config{})
	var children []*host.Child
	err := h.Nursery(t.Context(), host.NurseryConfig{}, func(ctx context.Context, n *host.Nursery) error {
		children = enlist(t, n, member("a", "sleep 0.05"), member("b", "exit 0"), member("c", "sleep 0.1"))
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	for _, c := range children {
		if s := wait(t, c.Process(), time.Second); !s.Success() || c.Wait() != nil {
			t.Errorf("%s: %v, %v", c.Name(), s, c.Wait())
		}
	}
}

func TestNurseryStopsAtEnd(t *testing.T) {
	h := open(t, host.Config{})
	var c []*host.Child
	err := h.Nursery(t.Context(), host.NurseryConfig{StopAtEnd: true}, func(ctx context.Context, n *host.Nursery) error {
		c = enlist(t, n, sleeper("a"), sleeper("b"))
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if s := wait(t, c[0].Process(), time.Second); s.Signal != syscall.SIGTERM {
		t.Errorf("it ended with %v", s)
	}
}

// The error is the failure, not the cancellations.
func TestNurseryFirstFailureCancelsTheOthers(t *testing.T) {
	h := open(t, host.Config{})
	var cause error
	err := h.Nursery(t.Context(), host.NurseryConfig{Name: "three"}, func(ctx context.Context, n *host.Nursery) error {
		r, w, err := os.Pipe()
		if err != nil {
			return err
		}
		defer r.Close()
		b := member("b", "read x; exit 7")
		b.Spec.Files = []*os.File{r}
		enlist(t, n, sleeper("a"), b, sleeper("c"))
		w.Close()
		<-ctx.Done()
		cause = context.Cause(ctx)
		return ctx.Err()
	})
	e := nurseryError(t, err)
	if got := names(t, e.Causes); len(got) != 1 || got[0] != "b" {
		t.Errorf("causes: %v", got)
	}
	if got := names(t, e.Canceled); !slices.Equal(got, []string{"a", "c"}) {
		t.Errorf("canceled: %v", got)
	}
	var exit *spawn.ExitError
	if !errors.As(err, &exit) || exit.Code != 7 || !errors.Is(cause, e.Causes[0]) {
		t.Errorf("%v; the body's cause: %v", err, cause)
	}
	for _, want := range []string{`nursery "three"`, `child "b"`, "exit status 7", "2 others were canceled"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
}

// Many failures are all told, each once.
func TestNurseryManyFailuresAtOnce(t *testing.T) {
	const many = 25
	h := open(t, host.Config{})
	up := newReadiness(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	err = h.Nursery(t.Context(), host.NurseryConfig{}, func(ctx context.Context, n *host.Nursery) error {
		for i := range many {
			cfg := member(fmt.Sprintf("%02d", i), `trap "" TERM; echo; read x; exit 9`)
			cfg.Spec.Files = []*os.File{r, up.w}
			enlist(t, n, cfg)
		}
		up.wait(many)
		w.Close() // they all see it
		return nil
	})
	e := nurseryError(t, err)
	got := names(t, append(slices.Clone(e.Causes), e.Canceled...))
	if len(e.Causes) != many || len(got) != many || len(slices.Compact(got)) != many {
		t.Errorf("%d causes of %d: %v", len(e.Causes), many, got)
	}
}

func TestNurseryTakesOneGrace(t *testing.T) {
	const grace = 600 * time.Millisecond
	up := newReadiness(t)
	h := open(t, host.Config{Timeouts: host.Timeouts{Grace: grace}})
	var begin time.Time
	err := h.Nursery(t.Context(), host.NurseryConfig{}, func(ctx context.Context, n *host.Nursery) error {
		for i := range 25 {
			cfg := member(fmt.Sprint(i), `trap "" TERM; echo; while :; do sleep 600; done`)
			cfg.Spec.Files = []*os.File{nil, up.w}
			enlist(t, n, cfg)
		}
		up.wait(25)
		begin = time.Now()
		n.Cancel()
		n.Cancel()
		return nil
	})
	if d := time.Since(begin); err != nil || d < grace || d > grace+3*time.Second {
		t.Errorf("it took %v: %v", d, err)
	}
}

func TestNurseryEndsWithItsContext(t *testing.T) {
	h := open(t, host.Config{})
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	err := h.Nursery(ctx, host.NurseryConfig{}, func(ctx context.Context, n *host.Nursery) error {
		enlist(t, n, sleeper("a"))
		cancel(why)
		return nil
	})
	e := nurseryError(t, err)
	if !errors.Is(err, why) || len(e.Causes) != 1 || len(e.Canceled) != 1 {
		t.Errorf("%v: %d causes, %d canceled", err, len(e.Causes), len(e.Canceled))
	}
}

// TestNurseryThatIsOverBeforeItBegins: what fails for that reason is no cause.
func TestNurseryThatIsOverBeforeItBegins(t *testing.T) {
	closed, err := host.Open(host.Config{})
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	why := errors.New("enough")
	over, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	for name, c := range map[string]struct {
		host *host.Host
		ctx  context.Context
		want error
	}{
		"its context": {open(t, host.Config{}), over, why},
		"its host":    {closed, t.Context(), spawn.ErrClosed},
	} {
		err := c.host.Nursery(c.ctx, host.NurseryConfig{}, func(ctx context.Context, n *host.Nursery) error {
			if !errors.Is(context.Cause(ctx), c.want) {
				t.Errorf("%s: the body is told %v", name, context.Cause(ctx))
			}
			n.Go("function", func(ctx context.Context) error { return context.Cause(ctx) })
			_, err := n.Start(ctx, sleeper("a"))
			if !errors.Is(err, spawn.ErrCanceled) || !errors.Is(err, c.want) || strings.Contains(err.Error(), "plugin stop") {
				t.Errorf("%s: Start says %v", name, err)
			}
			return err
		})
		if e := nurseryError(t, err); len(e.Causes) != 1 || !errors.Is(e.Causes[0], c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err = open(t, host.Config{}).Start(over, sh("exit 0"))
	if !errors.Is(err, spawn.ErrCanceled) || !errors.Is(err, why) || strings.Contains(err.Error(), "plugin stop") {
		t.Errorf("Start says %v", err)
	}
}

func TestNurseryErrorOfTheBody(t *testing.T) {
	h := open(t, host.Config{})
	mine := errors.New("the body's")
	err := h.Nursery(t.Context(), host.NurseryConfig{}, func(ctx context.Context, n *host.Nursery) error {
		enlist(t, n, sleeper("a"))
		return mine
	})
	if e := nurseryError(t, err); !errors.Is(err, mine) || len(e.Causes) != 1 || len(e.Canceled) != 1 {
		t.Errorf("%v: %d causes, %d canceled", err, len(e.Causes), len(e.Canceled))
	}
}

func TestNurseryPanicOfTheBody(t *testing.T) {
	h := open(t, host.Config{})
	var c []*host.Child
	defer func() {
		if r := recover(); r != "mine" {
			t.Errorf("it panicked with %v", r)
		}
		select {
		case <-c[0].Done():
		default:
			t.Error("the child is still there")
		}
	}()
	h.Nursery(t.Context(), host.NurseryConfig{}, func(ctx context.Context, n *host.Nursery) error {
		c = enlist(t, n, sleeper("a"))
		panic("mine")
	})
}

func TestNurserySpawnFailureIsTheCallers(t *testing.T) {
	h := open(t, host.Config{})
	err := h.Nursery(t.Context(), host.NurseryConfig{}, func(ctx context.Context, n *host.Nursery) error {
		_, err := n.Start(ctx, host.ChildConfig{Spec: spawn.Spec{Path: "/nonexistent/program"}})
		var c *host.ChildError
		if !errors.Is(err, os.ErrNotExist) || !errors.As(err, &c) || c.Name != "program" {
			t.Errorf("%v", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// A nested nursery ends before the outer one, whose failures it hears of.
func TestNurseryNested(t *testing.T) {
	h := open(t, host.Config{})
	up := make(chan *host.Child, 1)
	var deep *host.Child
	err := h.Nursery(t.Context(), host.NurseryConfig{Name: "outer"}, func(ctx context.Context, n *host.Nursery) error {
		n.Go("inner", func(ctx context.Context) error {
			return n.Nursery(ctx, host.NurseryConfig{Name: "inner"}, func(ctx context.Context, n *host.Nursery) error {
				c, err := n.Start(ctx, sleeper("deep"))
				up <- c
				if err != nil {
					return err
				}
				<-ctx.Done()
				return ctx.Err()
			})
		})
		deep = <-up
		enlist(t, n, member("fails", "exit 3"))
		return nil
	})
	e := nurseryError(t, err)
	if len(e.Causes) == 0 || names(t, e.Causes)[0] != "fails" {
		t.Errorf("%v", err)
	}
	if s := wait(t, deep.Process(), time.Second); s.Signal != syscall.SIGTERM {
		t.Errorf("the inner child ended with %v", s)
	}
}

func TestNurseryFailureInsideCarriesItsPath(t *testing.T) {
	h := open(t, host.Config{})
	err := h.Nursery(t.Context(), host.NurseryConfig{Name: "root"}, func(ctx context.Context, n *host.Nursery) error {
		enlist(t, n, sleeper("sibling"))
		return n.Nursery(ctx, host.NurseryConfig{Name: "branch"}, func(ctx context.Context, n *host.Nursery) error {
			enlist(t, n, member("leaf", "exit 4"))
			return nil
		})
	})
	if got := err.Error(); !strings.HasPrefix(got, `nursery "root": nursery "branch": child "leaf"`) {
		t.Error(got)
	}
	var exit *spawn.ExitError
	if !errors.As(err, &exit) || exit.Code != 4 {
		t.Error(err)
	}
}

func TestNurseryRestarts(t *testing.T) {
	h := open(t, host.Config{})
	count := t.TempDir() + "/count"
	cfg := member("flaky", `echo x >> `+count+`; [ $(wc -l < `+count+`) -ge 4 ] || exit 1`)
	cfg.Restart = host.Restart{Max: 5, MinDelay: time.Millisecond, MaxDelay: 4 * time.Millisecond}
	var mu sync.Mutex
	var starts, delays int
	ncfg := host.NurseryConfig{OnEvent: func(e host.Event) {
		mu.Lock()
		defer mu.Unlock()
		switch e.(type) {
		case host.ChildStarted:
			starts++
		case host.ChildRestarting:
			delays++
		}
	}}
	var c []*host.Child
	err := h.Nursery(t.Context(), ncfg, func(ctx context.Context, n *host.Nursery) error {
		c = enlist(t, n, cfg)
		return nil
	})
	if err != nil || c[0].Restarts() != 3 || c[0].Wait() != nil {
		t.Errorf("%v, %d restarts, %v", err, c[0].Restarts(), c[0].Wait())
	}
	mu.Lock()
	defer mu.Unlock()
	if starts != 4 || delays != 3 {
		t.Errorf("events tell of %d starts and %d delays", starts, delays)
	}
}

func TestNurseryGivesUpRestarting(t *testing.T) {
	h := open(t, host.Config{})
	cfg := member("broken", `exit 6`)
	cfg.Restart = host.Restart{Max: 3, MinDelay: time.Millisecond, MaxDelay: time.Millisecond}
	err := h.Nursery(t.Context(), host.NurseryConfig{}, func(ctx context.Context, n *host.Nursery) error {
		enlist(t, n, cfg, sleeper("other"))
		return nil
	})
	var c *host.ChildError
	if e := nurseryError(t, err); len(e.Causes) != 1 || !errors.As(err, &c) || c.Restarts != 3 || c.Status.Code != 6 {
		t.Errorf("%v", err)
	}
}

// A restart that is due when the nursery is canceled is given up.
func TestNurseryCancelsARestart(t *testing.T) {
	h := open(t, host.Config{})
	cfg := member("slow to come back", `exit 6`)
	cfg.Restart = host.Restart{Max: 3, MinDelay: time.Hour, MaxDelay: time.Hour}
	waiting := make(chan struct{})
	ncfg := host.NurseryConfig{OnEvent: func(e host.Event) {
		if _, ok := e.(host.ChildRestarting); ok {
			close(waiting)
		}
	}}
	err := h.Nursery(t.Context(), ncfg, func(ctx context.Context, n *host.Nursery) error {
		enlist(t, n, cfg)
		<-waiting
		n.Cancel()
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestNurseryStopsOneChild(t *testing.T) {
	h := open(t, host.Config{})
	err := h.Nursery(t.Context(), host.NurseryConfig{}, func(ctx context.Context, n *host.Nursery) error {
		cfg := sleeper("one")
		cfg.Restart.Max = 10 // it is not restarted
		c := enlist(t, n, cfg, member("other", "sleep 0.2"))
		var e *host.ChildError
		if err := c[0].Stop(ctx); !errors.As(err, &e) || e.Status.Signal != syscall.SIGTERM {
			t.Errorf("%v", err)
		}
		if c[0].Stop(ctx) == nil || c[0].Restarts() != 0 {
			t.Error("stopped twice, it tells something else")
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// A child is asked in its own way first.
func TestNurseryAsks(t *testing.T) {
	h := open(t, host.Config{})
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	up := newReadiness(t)
	reader := member("reader", `trap "exit 5" TERM; echo; cat > /dev/null`)
	reader.Spec.Files = []*os.File{r, up.w}
	reader.Stop = host.StopOptions{Ask: host.AskClose(w), AskTime: 10 * time.Second}
	quits := member("quits", `trap "exit 0" QUIT; trap "" TERM; echo; while :; do sleep 0.01; done`)
	quits.Spec.Files = []*os.File{nil, up.w}
	quits.Stop = host.StopOptions{Ask: host.AskSignal(syscall.SIGQUIT), AskTime: 10 * time.Second}
	stuck := sleeper("stuck")
	stuck.Stop = host.StopOptions{AskTime: 50 * time.Millisecond, Ask: func(ctx context.Context, _ *host.Process) error {
		<-ctx.Done()
		return nil
	}}
	var c []*host.Child
	err = h.Nursery(t.Context(), host.NurseryConfig{StopAtEnd: true}, func(ctx context.Context, n *host.Nursery) error {
		c = enlist(t, n, reader, quits, stuck)
		up.wait(2)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if s := wait(t, c[0].Process(), time.Second); !s.Success() {
		t.Errorf("the reader ended with %v", s)
	}
	if s := wait(t, c[2].Process(), time.Second); s.Signal != syscall.SIGTERM {
		t.Errorf("the one whose request is stuck ended with %v", s)
	}
}

func TestNurseryWhenTheHostIsClosed(t *testing.T) {
	h, err := host.Open(host.Config{})
	if err != nil {
		t.Fatal(err)
	}
	closed := make(chan error, 1)
	err = h.Nursery(t.Context(), host.NurseryConfig{}, func(ctx context.Context, n *host.Nursery) error {
		enlist(t, n, sleeper("a"))
		go func() { closed <- h.Close() }()
		return nil
	})
	if !errors.Is(err, spawn.ErrClosed) {
		t.Errorf("%v", err)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

func TestNurseryIsOverForLateComers(t *testing.T) {
	h := open(t, host.Config{})
	var late *host.Nursery
	h.Nursery(t.Context(), host.NurseryConfig{}, func(ctx context.Context, n *host.Nursery) error {
		late = n
		return nil
	})
	if _, err := late.Start(t.Context(), sleeper("late")); !errors.Is(err, spawn.ErrCanceled) {
		t.Errorf("%v", err)
	}
}

// A callback that is stuck does not hold the nursery up for ever.
func TestNurseryWithAStuckCallback(t *testing.T) {
	h := open(t, host.Config{Timeouts: host.Timeouts{Call: 50 * time.Millisecond}})
	release := make(chan struct{})
	defer close(release)
	cfg := host.NurseryConfig{OnEvent: func(host.Event) { <-release }}
	err := h.Nursery(t.Context(), cfg, func(ctx context.Context, n *host.Nursery) error {
		enlist(t, n, member("a", "exit 0"))
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// A tree of nurseries, two wide, fails at its leaves: nothing survives, and the
// root hears of it with the path.
func TestNurseryTrees(t *testing.T) {
	h := open(t, host.Config{})
	for _, depth := range []int{1, 3, 5} {
		var mu sync.Mutex
		var all []*host.Child
		want := 2<<depth - 2
		fail, up, err := os.Pipe() // the leaves fail when everybody is there
		if err != nil {
			t.Fatal(err)
		}
		var grow func(ctx context.Context, n *host.Nursery, depth int) error
		grow = func(ctx context.Context, n *host.Nursery, depth int) error {
			for i := range 2 {
				name := fmt.Sprint(depth, "-", i)
				cfg := sleeper(name)
				if depth == 1 {
					cfg = member(name, "read x; exit 1")
					cfg.Spec.Files = []*os.File{fail}
				}
				c, err := n.Start(ctx, cfg)
				if err != nil {
					return err
				}
				mu.Lock()
				all = append(all, c)
				if len(all) == want {
					up.Close()
				}
				mu.Unlock()
				if depth == 1 {
					continue
				}
				err = n.Go(name, func(ctx context.Context) error {
					return n.Nursery(ctx, host.NurseryConfig{Name: name}, func(ctx context.Context, n *host.Nursery) error {
						return grow(ctx, n, depth-1)
					})
				})
				if err != nil {
					return err
				}
			}
			return nil
		}
		err = h.Nursery(t.Context(), host.NurseryConfig{Name: "root"}, func(ctx context.Context, n *host.Nursery) error {
			return grow(ctx, n, depth)
		})
		fail.Close()
		var c *host.ChildError
		if e := nurseryError(t, err); !errors.As(e.Causes[0], &c) || !strings.Contains(err.Error(), `child "1-`) {
			t.Errorf("depth %d: %v", depth, err)
		}
		for _, c := range all {
			wait(t, c.Process(), time.Second)
		}
		if len(all) != want {
			t.Errorf("depth %d: %d children of %d", depth, len(all), want)
		}
	}
}
