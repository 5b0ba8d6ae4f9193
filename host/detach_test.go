//go:build linux

package host_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/helperproc"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// detachHelper is a host that detaches a script, says the reference and the pids
// of child and keeper, and waits for its standard input: at its end the host is
// closed.
func detachHelper(args []string) int {
	h, err := host.Open(host.Config{})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer h.Close()
	d, err := h.StartDetached(context.Background(), sh(args[0]), host.DetachOptions{Name: "it"})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(d.Ref())
	bufio.NewReader(os.Stdin).ReadByte()
	return 0
}

func detachCommand(t *testing.T, script string) *exec.Cmd {
	t.Helper()
	cmd := helperproc.Command("detach", script)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	return cmd
}

// A detaching is a host that has detached a child.
type detaching struct {
	ref           string
	keeper, child int
	dir           string
	end           func() // of its standard input
	kill          func()
}

// detach runs a host that detaches a script, in places of the test's own.
func detach(t *testing.T, script string) *detaching {
	t.Helper()
	privatePlaces(t)
	cmd := helperproc.Command("detach", script)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	d := &detaching{ref: strings.TrimSpace(line)}
	d.keeper, d.child, d.dir = takeApart(t, d.ref)
	d.end = func() { in.Close(); cmd.Wait() }
	d.kill = func() { cmd.Process.Kill(); cmd.Wait() }
	t.Cleanup(func() { endKeeper(d.keeper) })
	return d
}

// takeApart returns what a reference means.
func takeApart(t *testing.T, ref string) (keeper, child int, dir string) {
	t.Helper()
	f := strings.SplitN(ref, ":", 6)
	if len(f) != 6 {
		t.Fatalf("no reference: %q", ref)
	}
	pid := func(s string) int {
		n, err := strconv.Atoi(strings.SplitN(s, "-", 2)[0])
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return pid(f[3]), pid(f[4]), f[5]
}

// endKeeper ends what a test that failed has left.
func endKeeper(keeper int) {
	if s, err := linux.ReadStat(keeper); err == nil && s.Comm == "hatchery-keeper" && s.Parent != os.Getpid() {
		syscall.Kill(keeper, syscall.SIGKILL)
	}
}

// privatePlaces gives the test, and its helpers, runtime folders of their own.
func privatePlaces(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "d") // t.TempDir has too long a name
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.Setenv("XDG_RUNTIME_DIR", dir)
	t.Setenv("TMPDIR", dir)
	return dir
}

func adopt(t *testing.T, h *host.Host, ref string) *host.Detached {
	t.Helper()
	d, err := h.Adopt(t.Context(), ref)
	if err != nil {
		t.Fatal("Adopt: ", err)
	}
	return d
}

// waitDetached waits for a detached child, but not for ever.
func waitDetached(t *testing.T, d *host.Detached) spawn.ExitStatus {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	s, err := d.Wait(ctx)
	if err != nil {
		t.Fatal("Wait: ", err)
	}
	return s
}

// collected checks that nothing is left of a child that has been forgotten.
func collected(t *testing.T, d *host.Detached, keeper int, dir string) {
	t.Helper()
	if err := d.Forget(t.Context()); err != nil {
		t.Error("Forget: ", err)
	}
	if err := d.Forget(t.Context()); err != nil {
		t.Error("the second Forget: ", err)
	}
	gone(t, 2*time.Second, keeper, d.Pid())
	if _, err := os.Lstat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is still there: %v", err)
	}
}

// TestDetachedOutlivesItsHost: whether that is killed or closed; another host then
// gets the true exit.
func TestDetachedOutlivesItsHost(t *testing.T) {
	for _, how := range []string{"killed", "closed"} {
		t.Run(how, func(t *testing.T) {
			fifo := filepath.Join(t.TempDir(), "go")
			if err := syscall.Mkfifo(fifo, 0o666); err != nil {
				t.Fatal(err)
			}
			s := detach(t, "read x < "+fifo+"; i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; exit 7")
			if how == "killed" {
				s.kill()
			} else {
				s.end()
			}
			if !alive(s.child) || !alive(s.keeper) {
				t.Fatal("it has ended with its host")
			}
			h := open(t, host.Config{})
			d := adopt(t, h, s.ref)
			if d.Name() != "it" || d.Pid() != s.child || d.Ref() != s.ref {
				t.Errorf("adopted %q, process %d, %s", d.Name(), d.Pid(), d.Ref())
			}
			writeTo(t, fifo)
			status := waitDetached(t, d)
			if status.Code != 7 || status.Signal != 0 || status.Source != spawn.FromKernel || status.Rusage.UserTime <= 0 || status.Rusage.MaxRSS <= 0 {
				t.Errorf("status %+v, want exit 7 with resource usage", status)
			}
			if age := time.Since(status.Time); age < 0 || age > time.Minute {
				t.Errorf("it ended at %v, which is %v ago", status.Time, age)
			}
			again := adopt(t, h, s.ref)
			if late := waitDetached(t, again); late != status {
				t.Errorf("a later Wait: %+v", late)
			}
			collected(t, d, s.keeper, s.dir)
			if late := waitDetached(t, again); late != status {
				t.Errorf("after it was forgotten: %+v", late)
			}
			if _, err := h.Adopt(t.Context(), s.ref); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("adopted after it was forgotten: %v", err)
			}
		})
	}
}

// writeTo lets somebody go on who reads from a FIFO.
func writeTo(t *testing.T, fifo string) {
	t.Helper()
	if out, err := exec.Command("timeout", "10", "sh", "-c", "echo > "+fifo).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}
