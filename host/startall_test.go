//go:build linux

package host_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// errorsOf returns the error of each of n children.
func errorsOf(t testing.TB, err error, n int) []error {
	t.Helper()
	if err == nil {
		return make([]error, n)
	}
	var b *host.BatchError
	if !errors.As(err, &b) || len(b.Errs) != n {
		t.Fatalf("%T with %v: want one of %d errors", err, err, n)
	}
	return b.Errs
}

// TestStartAll starts good and bad children together: each has its own result.
func TestStartAll(t *testing.T) {
	h := open(t, host.Config{})
	closed, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	long := strings.Repeat("x", 100_000)
	kinds := []struct {
		spec func(i int) spawn.Spec
		err  error
	}{
		{func(i int) spawn.Spec { return sh(fmt.Sprint("exit ", i%256)) }, nil},
		{func(int) spawn.Spec { return spawn.Spec{Path: "/nowhere/program"} }, fs.ErrNotExist},
		{func(i int) spawn.Spec { s := sh(fmt.Sprint("exit ", i%256)); s.Env = []string{"A=1"}; return s }, nil},
		{func(int) spawn.Spec { return spawn.Spec{Path: "no-such-program-anywhere"} }, exec.ErrNotFound},
		{func(int) spawn.Spec { s := sh("exit 1"); s.Dir = "/nowhere"; return s }, fs.ErrNotExist},
		{func(int) spawn.Spec { return spawn.Spec{Path: "/etc/passwd"} }, fs.ErrPermission},
		{func(int) spawn.Spec { s := sh("exit 1"); s.Files = []*os.File{closed}; return s }, syscall.EBADF},
		{func(i int) spawn.Spec {
			s := sh(fmt.Sprintf("[ ${#1} = %d ] && exit %d", len(long), i%256))
			s.Args = append(s.Args, "sh", long)
			return s
		}, nil},
		{func(int) spawn.Spec { s := sh("exit 1"); s.Args = append(s.Args, "sh", long+long); return s }, syscall.E2BIG},
		{func(int) spawn.Spec { s := sh("exit 1"); s.Args = append(s.Args, "a\x00b"); return s }, syscall.EINVAL},
	}
	specs := make([]spawn.Spec, 20*len(kinds)+1)
	for i := range specs {
		specs[i] = kinds[i%len(kinds)].spec(i)
	}
	procs, err := h.StartAll(t.Context(), specs)
	failed := 0
	for i, err := range errorsOf(t, err, len(specs)) {
		k := kinds[i%len(kinds)]
		if (err == nil) != (procs[i] != nil) || !errors.Is(err, k.err) {
			t.Errorf("child %d: process %v, error %v, want %v", i, procs[i] != nil, err, k.err)
			continue
		}
		if err != nil {
			failed++
			var e *spawn.Error
			if !errors.As(err, &e) || e.Key != "forkexec" {
				t.Errorf("child %d: %#v", i, err)
			}
			continue
		}
		if s := wait(t, procs[i], 10*time.Second); s.Code != i%256 || procs[i].Method() != "forkexec" {
			t.Errorf("child %d: %v by %q", i, s, procs[i].Method())
		}
	}
	if want := fmt.Sprintf("%d of %d children were not started; number 1: ", failed, len(specs)); !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%.200v, want %s…", err, want)
	}
	if specs[0].Env != nil {
		t.Error("a Spec of the caller was changed")
	}
	if procs, err := h.StartAll(t.Context(), nil); len(procs) != 0 || err != nil {
		t.Errorf("none: %v, %v", procs, err)
	}
}

// TestStartAllFiles: every child gets its own descriptors, more in all than fit
// into one frame, and one child asks for more than fit.
func TestStartAllFiles(t *testing.T) {
	h := open(t, host.Config{})
	const children, files = 30, 60
	specs := make([]spawn.Spec, children+1)
	for i := range children {
		s := sh("cat /dev/fd/3 /dev/fd/62 >&2")
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		defer w.Close()
		s.Files = []*os.File{nil, nil, w}
		for n := range files {
			f, err := os.Create(fmt.Sprint(t.TempDir(), "/f"))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if _, err := fmt.Fprintf(f, "%d.%d ", i, n); err != nil {
				t.Fatal(err)
			}
			f.Seek(0, io.SeekStart)
			s.Files = append(s.Files, f)
		}
		specs[i] = s
		defer func() {
			w.Close()
			b, _ := io.ReadAll(r)
			if want := fmt.Sprintf("%d.0 %d.59 ", i, i); string(b) != want {
				t.Errorf("child %d read %q, want %q", i, b, want)
			}
		}()
	}
	many := sh("true")
	for range 300 {
		many.Files = append(many.Files, specs[0].Files[3:]...)
	}
	many.Files = many.Files[:300]
	specs[children] = many
	procs, err := h.StartAll(t.Context(), specs)
	for i, err := range errorsOf(t, err, len(specs)) {
		switch {
		case i < children && err != nil:
			t.Errorf("child %d: %v", i, err)
		case i == children && !errors.Is(err, syscall.EINVAL):
			t.Errorf("300 descriptors: %v", err)
		}
	}
	for _, p := range procs[:children] {
		wait(t, p, 10*time.Second)
	}
}

// sleepers are many children that have to be ended.
func sleepers(n int) []spawn.Spec {
	specs := make([]spawn.Spec, n)
	for i := range specs {
		specs[i] = spawn.Spec{Path: "sleep", Args: []string{"sleep", "600"}, Env: []string{}}
	}
	return specs
}

// TestStartAllCanceled ends the context in the middle: what is handed out runs,
// and nothing else does.
func TestStartAllCanceled(t *testing.T) {
	h := open(t, host.Config{})
	wait(t, start(t, h, sh("true")), 10*time.Second)
	plugins := linux.Children(keeperOf(t))
	var ran, failed int
	for limit := time.Millisecond; ran == 0 && limit < 10*time.Second; limit += limit/2 + 1 { // until it is enough for some
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		procs, err := h.StartAll(ctx, sleepers(100))
		cancel()
		for i, err := range errorsOf(t, err, len(procs)) {
			switch {
			case err == nil:
				ran++
				if err := procs[i].Kill(); err != nil {
					t.Error(err)
				}
				if s := wait(t, procs[i], 10*time.Second); s.Signal != syscall.SIGKILL {
					t.Errorf("child %d: %v", i, s)
				}
			case procs[i] != nil || !errors.Is(err, spawn.ErrTimeout) || !errors.Is(err, context.DeadlineExceeded):
				t.Errorf("child %d: %v, %v", i, procs[i], err)
			default:
				failed++
			}
		}
	}
	if ran == 0 || failed == 0 {
		t.Errorf("%d ran, %d were given up: want some of both", ran, failed)
	}
	for _, pid := range linux.Children(keeperOf(t)) {
		if !slices.Contains(plugins, pid) {
			gone(t, 5*time.Second, pid)
		}
	}
}

// TestStartAllKeeperKilled kills the keeper in the middle: no call hangs, every
// child is lost or was not started, and the next batch works.
func TestStartAllKeeperKilled(t *testing.T) {
	for i := range 4 {
		h := open(t, host.Config{})
		wait(t, start(t, h, sh("true")), 10*time.Second)
		keeper := keeperOf(t)
		timer := time.AfterFunc(time.Duration(i)*5*time.Millisecond, func() { syscall.Kill(keeper, syscall.SIGKILL) })
		procs, err := h.StartAll(t.Context(), sleepers(200))
		errs := errorsOf(t, err, len(procs))
		timer.Stop()
		syscall.Kill(keeper, syscall.SIGKILL)
		for i, err := range errs {
			if err != nil && !errors.Is(err, spawn.ErrKeeperGone) || (err == nil) != (procs[i] != nil) {
				t.Errorf("child %d: %v, %v", i, procs[i], err)
			}
		}
		var again []*host.Process
		for _, p := range procs {
			if p == nil {
				continue
			}
			select {
			case <-p.Done():
				if s, err := p.Wait(); s.Source != spawn.Lost || !errors.Is(err, spawn.ErrLost) {
					t.Errorf("%v, %v, want lost", s, err)
				}
			default:
				again = append(again, p) // of the next keeper, or not told yet
			}
		}
		if _, err := h.StartAll(t.Context(), []spawn.Spec{sh("true"), sh("true")}); err != nil {
			t.Errorf("the next batch: %v", err)
		}
		for _, p := range again {
			p.Kill()
			<-p.Done()
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestStartAllClosed: a host that was closed starts nothing.
func TestStartAllClosed(t *testing.T) {
	h := open(t, host.Config{})
	h.Close()
	procs, err := h.StartAll(t.Context(), sleepers(3))
	for i, err := range errorsOf(t, err, 3) {
		if procs[i] != nil || !errors.Is(err, spawn.ErrClosed) {
			t.Errorf("%v, %v", procs[i], err)
		}
	}
}

// TestStartAllAside: children of a backend that makes no plans are started, too.
func TestStartAllAside(t *testing.T) {
	h := open(t, host.Config{Method: "echo"})
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	specs := make([]spawn.Spec, 30)
	for i := range specs {
		specs[i] = spawn.Spec{Path: "anything", Args: make([]string, i+1), Files: []*os.File{null, w}}
	}
	procs, err := h.StartAll(t.Context(), specs)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range procs {
		if s := wait(t, p, 10*time.Second); s.Code != i+1 {
			t.Errorf("child %d: %v", i, s)
		}
	}
}

// TestNurseryStartAll: members of several methods, one of which is not ready, one
// of which fails to start.
func TestNurseryStartAll(t *testing.T) {
	h := open(t, host.Config{})
	never := errors.New("it is not ready")
	var ready atomic.Int32
	cfgs := make([]host.ChildConfig, 20)
	for i := range cfgs {
		cfgs[i] = member(fmt.Sprint(i), "exit 0")
	}
	for i := 10; i < 15; i++ {
		cfgs[i].Ready = func(context.Context, *host.Process) error { ready.Add(1); return nil }
	}
	cfgs[3].Spec.Path = "/nowhere/program"
	cfgs[16] = sleeper("16")
	cfgs[16].Ready = func(context.Context, *host.Process) error { return never }
	cfgs[18].Method = "no_such_method"
	want := map[int]error{3: fs.ErrNotExist, 16: never, 18: spawn.ErrUnknownMethod}
	err := h.Nursery(t.Context(), host.NurseryConfig{}, func(ctx context.Context, n *host.Nursery) error {
		children, err := n.StartAll(ctx, cfgs)
		for i, err := range errorsOf(t, err, len(cfgs)) {
			var c *host.ChildError
			switch {
			case (err == nil) != (children[i] != nil), !errors.Is(err, want[i]):
				t.Errorf("child %d: %v, want %v", i, err, want[i])
			case err != nil && (!errors.As(err, &c) || c.Name != fmt.Sprint(i)):
				t.Errorf("child %d: %#v", i, err)
			case err == nil && children[i].Wait() != nil:
				t.Errorf("child %d: %v", i, children[i].Wait())
			}
		}
		return nil
	})
	if err != nil || ready.Load() != 5 {
		t.Errorf("%v, %d were ready", err, ready.Load())
	}
}

// TestNurseryStartAllEnding: a nursery that is being canceled takes nobody, and
// one that is canceled meanwhile leaves nobody behind.
func TestNurseryStartAllEnding(t *testing.T) {
	h := open(t, host.Config{})
	cfgs := make([]host.ChildConfig, 200)
	for i := range cfgs {
		cfgs[i] = sleeper(fmt.Sprint(i))
	}
	err := h.Nursery(t.Context(), host.NurseryConfig{}, func(ctx context.Context, n *host.Nursery) error {
		n.Cancel()
		children, err := n.StartAll(ctx, cfgs)
		for i, err := range errorsOf(t, err, len(cfgs)) {
			if children[i] != nil || !errors.Is(err, spawn.ErrCanceled) {
				t.Errorf("child %d: %v", i, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	cfgs[100] = member("bad", "exit 3")
	err = h.Nursery(t.Context(), host.NurseryConfig{}, func(ctx context.Context, n *host.Nursery) error {
		children, err := n.StartAll(ctx, cfgs)
		for i, err := range errorsOf(t, err, len(cfgs)) {
			if (err == nil) != (children[i] != nil) || err != nil && !errors.Is(err, spawn.ErrCanceled) {
				t.Errorf("child %d: %v", i, err)
			}
		}
		return nil
	})
	var e *host.NurseryError
	if !errors.As(err, &e) || len(e.Causes) != 1 || names(t, e.Causes)[0] != "bad" {
		t.Errorf("%v, want bad's failure alone", err)
	}
}
