//go:build linux

package host_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// startDetached detaches a child from a host of the test itself.
func startDetached(t *testing.T, h *host.Host, spec spawn.Spec, o host.DetachOptions) (d *host.Detached, keeper int, dir string) {
	t.Helper()
	d, err := h.StartDetached(t.Context(), spec, o)
	if err != nil {
		t.Fatal("StartDetached: ", err)
	}
	keeper, _, dir = takeApart(t, d.Ref())
	t.Cleanup(func() { endKeeper(keeper) })
	return d, keeper, dir
}

// TestDetachedExits: every kind of end, noted before anybody has adopted the child
// and told to somebody who waits, is the kernel's.
func TestDetachedExits(t *testing.T) {
	leakcheck.Check(t)
	privatePlaces(t)
	h := open(t, host.Config{})
	for script, want := range map[string]spawn.ExitStatus{
		"exit 0":                         {Code: 0},
		"exit 7":                         {Code: 7},
		"exit 137":                       {Code: 137},
		"kill -KILL $$":                  {Code: -1, Signal: syscall.SIGKILL},
		"kill -TERM $$":                  {Code: -1, Signal: syscall.SIGTERM},
		"ulimit -c 0; kill -SEGV $$":     {Code: -1, Signal: syscall.SIGSEGV},
		"cd /; exec /bin/sh -c 'exit 3'": {Code: 3},
	} {
		d, keeper, dir := startDetached(t, h, sh(script), host.DetachOptions{})
		gone(t, 10*time.Second, keeper) // with it goes every process
		fresh := adopt(t, h, d.Ref())
		for _, x := range []*host.Detached{d, fresh} {
			s := waitDetached(t, x)
			if s.Code != want.Code || s.Signal != want.Signal || s.Core || s.Source != spawn.FromKernel || s.Time.IsZero() {
				t.Errorf("%s: %+v", script, s)
			}
		}
		if err := d.Signal(syscall.SIGTERM); !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("a signal after the end: %v", err)
		}
		if s, err := fresh.Stop(t.Context()); err != nil || s.Code != want.Code {
			t.Errorf("Stop after the end: %v, %v", s, err)
		}
		left, _ := filepath.Glob(dir + "/*")
		if len(left) != 2 {
			t.Errorf("in the folder of a child that has ended there is %q: want the record and the exit", left)
		}
		collected(t, d, keeper, dir)
	}
}

// TestDetachedThatEndsAtOnce: a child that has ended before it is detached has been
// started like any other.
func TestDetachedThatEndsAtOnce(t *testing.T) {
	leakcheck.Check(t)
	privatePlaces(t)
	h := open(t, host.Config{})
	spec := spawn.Spec{Path: "false", Env: os.Environ()}
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			for range 10 {
				d, err := h.StartDetached(t.Context(), spec, host.DetachOptions{})
				if err != nil {
					t.Error("StartDetached: ", err)
					return
				}
				if s, err := d.Wait(t.Context()); err != nil || s.Code != 1 || s.Source != spawn.FromKernel {
					t.Errorf("%+v, %v", s, err)
				}
				if err := d.Forget(t.Context()); err != nil {
					t.Error("Forget: ", err)
				}
			}
		})
	}
	wg.Wait()
}

// TestDetachedCore: the core flag is that of os/exec in the same situation.
func TestDetachedCore(t *testing.T) {
	privatePlaces(t)
	work := t.TempDir()
	h := open(t, host.Config{})
	child := start(t, h, spawn.Spec{Path: "sh", Args: []string{"sh", "-c", "ulimit -c unlimited; kill -QUIT $$"}, Dir: work})
	want := wait(t, child, 10*time.Second)
	spec := sh("ulimit -c unlimited; kill -QUIT $$")
	spec.Dir = work
	d, keeper, dir := startDetached(t, h, spec, host.DetachOptions{})
	if got := waitDetached(t, d); got.Signal != syscall.SIGQUIT || got.Core != want.Core {
		t.Errorf("%+v, and attached %+v", got, want)
	}
	collected(t, d, keeper, dir)
}

// TestDetachedCrowd: many at once, each adopted by many at once.
func TestDetachedCrowd(t *testing.T) {
	leakcheck.Check(t)
	privatePlaces(t)
	h := open(t, host.Config{})
	const children, adopters = 20, 5
	var wg sync.WaitGroup
	for i := range children {
		wg.Go(func() {
			fifo := filepath.Join(t.TempDir(), "go")
			if err := syscall.Mkfifo(fifo, 0o666); err != nil {
				t.Error(err)
				return
			}
			d, err := h.StartDetached(t.Context(), sh(fmt.Sprintf("read x < %s; exit %d", fifo, i)), host.DetachOptions{})
			if err != nil {
				t.Error(err)
				return
			}
			keeper, _, dir := takeApart(t, d.Ref())
			var waiting sync.WaitGroup
			for range adopters {
				waiting.Go(func() {
					a, err := h.Adopt(t.Context(), d.Ref())
					if err != nil {
						t.Error("Adopt: ", err)
						return
					}
					if s, err := a.Wait(t.Context()); err != nil || s.Code != i {
						t.Errorf("child %d: %v, %v", i, s, err)
					}
				})
			}
			writeTo(t, fifo)
			waiting.Wait()
			if s, err := d.Wait(t.Context()); err != nil || s.Code != i {
				t.Errorf("child %d: %v, %v", i, s, err)
			}
			collected(t, d, keeper, dir)
		})
	}
	wg.Wait()
}

// TestDetachedHoldsNothing: child and keeper have nothing of the host's but what
// the child was given, and no terminal reaches them.
func TestDetachedHoldsNothing(t *testing.T) {
	runtimeDir := privatePlaces(t)
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	must(t, err)
	defer out.Close()
	work := t.TempDir()
	t.Chdir(work)
	h := open(t, host.Config{})
	spec := sh("pwd; umask; exec sleep 1000")
	spec.Files = []*os.File{nil, out, out}
	d, keeper, dir := startDetached(t, h, spec, host.DetachOptions{})
	if said := written(t, out.Name(), 2); !strings.HasPrefix(said, work+"\n0") {
		t.Errorf("it wrote %q", said)
	}
	self, err := linux.ReadStat(os.Getpid())
	must(t, err)
	for _, pid := range []int{keeper, d.Pid()} {
		s, err := linux.ReadStat(pid)
		must(t, err)
		if s.Session == self.Session || s.Group == self.Group || s.Parent == os.Getpid() {
			t.Errorf("%s: session %d, group %d, parent %d are the host's", s.Comm, s.Session, s.Group, s.Parent)
		}
	}
	for path, want := range map[string]string{fmt.Sprintf("/proc/%d/cwd", keeper): "/", fmt.Sprintf("/proc/%d/cwd", d.Pid()): work} {
		if got, err := os.Readlink(path); err != nil || got != want {
			t.Errorf("%s is %s, %v: want %s", path, got, err, want)
		}
	}
	fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", keeper))
	must(t, err)
	for _, fd := range fds {
		name, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%s", keeper, fd.Name()))
		switch {
		case errors.Is(err, fs.ErrNotExist): // closed meanwhile
		case name == "/dev/null", strings.HasPrefix(name, "anon_inode:"), strings.HasPrefix(name, "socket:"),
			strings.HasPrefix(name, "/memfd:hatchery-keeper"), strings.HasPrefix(name, dir+"/"), strings.HasPrefix(name, "/proc/"), strings.HasPrefix(name, "/sys/fs/cgroup/"):
		default:
			t.Errorf("the keeper has %s open, as %s", name, fd.Name())
		}
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(runtimeDir + "/hatchery/*"); len(left) != 1 || left[0] != dir {
		t.Errorf("runtime folders after Close: %q, want the child's own", left)
	}
	if _, err := d.Wait(t.Context()); !errors.Is(err, spawn.ErrClosed) {
		t.Errorf("Wait after Close: %v", err)
	}
	next := open(t, host.Config{})
	a := adopt(t, next, d.Ref())
	if s, err := a.Stop(t.Context()); err != nil || s.Signal != syscall.SIGTERM {
		t.Errorf("Stop: %v, %v", s, err)
	}
	collected(t, a, keeper, dir)
}
