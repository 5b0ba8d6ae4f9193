//go:build linux

package host_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// sayingPids returns the Spec of a script whose output is a file, and a function
// that waits until there are n numbers in it.
func sayingPids(t *testing.T, script string, n int) (spawn.Spec, func() []int) {
	t.Helper()
	out, err := os.Create(filepath.Join(t.TempDir(), "pids"))
	must(t, err)
	t.Cleanup(func() { out.Close() })
	spec := sh(script)
	spec.Files = []*os.File{nil, out}
	return spec, func() []int { return numbers(t, written(t, out.Name(), n)) }
}

// written waits until there are n lines in a file, and returns them.
func written(t *testing.T, path string, n int) string {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond) // that a file has grown is no event
	defer tick.Stop()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); <-tick.C {
		b, _ := os.ReadFile(path)
		if strings.Count(string(b), "\n") >= n {
			return string(b)
		}
	}
	t.Fatal("the child does not say what it should")
	return ""
}

// stubborn is a child that ignores SIGTERM, as do its child and its daemon.
const stubborn = `trap "" TERM
sh -c 'echo $$; while :; do sleep 100; done' &
(setsid sh -c 'echo $$; while :; do sleep 100; done' &)
echo $$; while :; do sleep 100; done`

func TestDetachedStop(t *testing.T) {
	leakcheck.Check(t)
	privatePlaces(t)
	h := open(t, host.Config{Timeouts: host.Timeouts{Grace: 200 * time.Millisecond}})
	for name, c := range map[string]struct {
		script string
		says   int
		before syscall.Signal
		want   syscall.Signal
	}{
		"obeys":    {"echo $$; exec sleep 1000", 1, 0, syscall.SIGTERM},
		"stopped":  {"echo $$; exec sleep 1000", 1, syscall.SIGSTOP, syscall.SIGTERM},
		"stubborn": {stubborn, 3, 0, syscall.SIGKILL},
	} {
		t.Run(name, func(t *testing.T) {
			spec, said := sayingPids(t, c.script, c.says)
			d, keeper, dir := startDetached(t, h, spec, host.DetachOptions{})
			pids := said()
			if c.before != 0 {
				must(t, d.Signal(c.before))
			}
			other := adopt(t, h, d.Ref())
			s, err := other.Stop(t.Context())
			if err != nil || s.Signal != c.want {
				t.Errorf("Stop: %+v, %v", s, err)
			}
			for _, pid := range append(pids, keeper) {
				if alive(pid) {
					t.Errorf("process %d of %v, keeper %d, is still there", pid, pids, keeper)
				}
			}
			if late := waitDetached(t, d); late != s {
				t.Errorf("who waits is told %+v", late)
			}
			collected(t, d, keeper, dir)
		})
	}
}

// TestDetachedKill: a context that has ended leaves no grace, and Kill takes the
// tree.
func TestDetachedKill(t *testing.T) {
	privatePlaces(t)
	h := open(t, host.Config{})
	for _, kill := range []func(*host.Detached) error{
		(*host.Detached).Kill,
		func(d *host.Detached) error {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_, err := d.Stop(ctx)
			return err
		},
	} {
		spec, said := sayingPids(t, stubborn, 3)
		d, keeper, dir := startDetached(t, h, spec, host.DetachOptions{})
		pids := said()
		if err := kill(d); err != nil {
			t.Error(err)
		}
		if s := waitDetached(t, d); s.Signal != syscall.SIGKILL {
			t.Errorf("%+v", s)
		}
		gone(t, 10*time.Second, append(pids, keeper)...)
		collected(t, d, keeper, dir)
	}
}

// TestDetachedLeavesDaemon: what a child leaves ends with it, unless it was to be
// kept; then it ends when it likes, or by Stop.
func TestDetachedLeavesDaemon(t *testing.T) {
	leakcheck.Check(t)
	privatePlaces(t)
	h := open(t, host.Config{Timeouts: host.Timeouts{Grace: time.Second}})
	const script = `(setsid sh -c 'echo $$; exec sleep 1000' &); exit 5`
	t.Run("ends", func(t *testing.T) {
		spec, said := sayingPids(t, "mkfifo $0; (setsid sh -c 'echo $$; echo > '$0'; exec sleep 1000' &); read x < $0; exit 5", 1)
		spec.Args = append(spec.Args, filepath.Join(t.TempDir(), "fifo"))
		d, keeper, dir := startDetached(t, h, spec, host.DetachOptions{})
		if s := waitDetached(t, d); s.Code != 5 {
			t.Errorf("%+v", s)
		}
		gone(t, 10*time.Second, append(said(), keeper)...)
		collected(t, d, keeper, dir)
	})
	for _, how := range []string{"kept, and stopped", "kept, and ends"} {
		t.Run(how, func(t *testing.T) {
			spec, said := sayingPids(t, script, 1)
			d, keeper, dir := startDetached(t, h, spec, host.DetachOptions{KeepOrphans: true})
			daemon := said()[0]
			if s := waitDetached(t, d); s.Code != 5 {
				t.Errorf("%+v", s)
			}
			if !alive(daemon) || !alive(keeper) {
				t.Fatal("the daemon has ended with the child")
			}
			short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			if err := d.Forget(short); !errors.Is(err, syscall.EBUSY) {
				t.Errorf("Forget while the daemon runs: %v", err)
			}
			if how == "kept, and ends" {
				syscall.Kill(daemon, syscall.SIGKILL)
				gone(t, 10*time.Second, keeper)
			} else if s, err := adopt(t, h, d.Ref()).Stop(t.Context()); err != nil || s.Code != 5 || alive(daemon) {
				t.Errorf("Stop: %+v, %v, the daemon lives: %v", s, err, alive(daemon))
			}
			collected(t, d, keeper, dir)
		})
	}
}

// TestDetachRefused: what would tie the child to its host, and what cannot be
// started, is an error, and leaves nothing.
func TestDetachRefused(t *testing.T) {
	leakcheck.Check(t)
	runtimeDir := privatePlaces(t)
	h := open(t, host.Config{})
	r, w, err := os.Pipe()
	must(t, err)
	defer r.Close()
	defer w.Close()
	master, slave, _, err := linux.OpenPTY()
	must(t, err)
	terminal := os.NewFile(uintptr(slave), "pts")
	defer terminal.Close()
	defer syscall.Close(master)
	zero := 0
	for name, c := range map[string]struct {
		spec   spawn.Spec
		method string
		is     error
		says   string
	}{
		"pipe":        {spec: spawn.Spec{Path: "true", Files: []*os.File{nil, w}}, is: syscall.EINVAL, says: "descriptor 1 is a pipe"},
		"terminal":    {spec: spawn.Spec{Path: "true", Files: []*os.File{terminal}}, is: syscall.EINVAL, says: "descriptor 0 is a terminal"},
		"controlling": {spec: spawn.Spec{Path: "true", Files: []*os.File{terminal}, Session: true, Terminal: &zero}, is: syscall.EINVAL, says: "no terminal"},
		"group":       {spec: spawn.Spec{Path: "true", Group: os.Getpid()}, is: syscall.EINVAL, says: "session of its own"},
		"missing":     {spec: spawn.Spec{Path: "/no/such"}, is: fs.ErrNotExist, says: "/no/such"},
		"directory":   {spec: spawn.Spec{Path: "/bin/true", Dir: "/no/such"}, is: fs.ErrNotExist, says: "/no/such"},
		"spawner":     {spec: spawn.Spec{Path: "true"}, method: "echo", is: errors.ErrUnsupported, says: "cannot be detached"},
		"unknown":     {spec: spawn.Spec{Path: "true"}, method: "nosuch", is: spawn.ErrUnknownMethod},
	} {
		d, err := h.StartDetached(t.Context(), c.spec, host.DetachOptions{Method: c.method})
		if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) || d != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	var b strings.Builder
	cmd := h.Command("true")
	cmd.Stdout = &b
	if _, err := cmd.StartDetached(host.DetachOptions{}); err == nil || !strings.Contains(err.Error(), "Stdout is a *strings.Builder") {
		t.Errorf("a Cmd with a Writer: %v", err)
	}
	cmd = h.Command("sh", "-c", "exit 4")
	d, err := cmd.StartDetached(host.DetachOptions{})
	must(t, err)
	if s := waitDetached(t, d); s.Code != 4 {
		t.Errorf("a Cmd without: %+v", s)
	}
	must(t, d.Forget(t.Context()))
	for _, ref := range []string{"", "x", "detached1:::::", strings.Replace(d.Ref(), "detached1", "detached2", 1), d.Ref()[:40]} {
		if _, err := h.Adopt(t.Context(), ref); !errors.Is(err, syscall.EINVAL) {
			t.Errorf("reference %q: %v", ref, err)
		}
	}
	must(t, h.Close())
	if _, err := h.StartDetached(t.Context(), sh("exit"), host.DetachOptions{}); !errors.Is(err, spawn.ErrClosed) {
		t.Errorf("a closed host: %v", err)
	}
	if _, err := h.Adopt(t.Context(), d.Ref()); !errors.Is(err, spawn.ErrClosed) {
		t.Errorf("a closed host: %v", err)
	}
	if left, _ := filepath.Glob(runtimeDir + "/*/*"); len(left) != 0 {
		t.Errorf("left behind: %q", left)
	}
}
