//go:build linux && (amd64 || arm64)

package launch

import (
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/internal/pid1"
	"github.com/hatchery-spawn/hatchery/internal/tinyelf"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// TestInitIsReadyFirst: from its first moment the program sees a process 1 that
// has become what it is: it has its name and a memory of its own, of a few
// mappings.
func TestInitIsReadyFirst(t *testing.T) {
	f := newFixture(t)
	needsPidNamespaces(t, f)
	for range 50 {
		r := jailed("")
		r.Path, r.Args = "/bin/cat", []string{"cat", "/proc/1/comm", "/proc/1/maps"}
		c := f.jail(t, r)
		b, err := io.ReadAll(c.out)
		if lines := strings.Count(string(b), "\n"); err != nil || !strings.HasPrefix(string(b), "init\n") || lines > 10 {
			t.Fatalf("%v: process 1 is\n%s", err, b)
		}
		reap(t, c.Pid)
	}
}

// substitute has process 1 become another program.
func (f *fixture) substitute(t *testing.T, image []byte) {
	t.Helper()
	fd, err := linux.ProgramMemfd("other", image)
	if err != nil {
		t.Fatal(err)
	}
	f.program = fd // closed with the thread
}

// attempt is a launch that is under way on a thread of its own.
type attempt struct {
	f    *fixture
	done chan struct{}
	err  error
	out  []byte // what the program wrote
	told []byte // by process 1
}

// attempt begins to launch r, with which the fixture's thread is busy until done
// is closed: then the child has been reaped, and nobody has its pipe any more.
func (f *fixture) attempt(t *testing.T, r *Request) *attempt {
	t.Helper()
	pr, pw, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Null, r.Files = int(f.null.Fd()), []File{{1, int(pw.Fd())}, {2, int(pw.Fd())}}
	a := &attempt{f: f, done: make(chan struct{})}
	go func() {
		defer close(a.done)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer pr.Close()
		c, err := f.Launch(r)
		pw.Close()
		a.err = err
		if c.Pidfd >= 0 {
			unix.Close(c.Pidfd)
		}
		a.out, _ = io.ReadAll(pr)
		if c.Pid != 0 {
			reap(t, c.Pid)
		}
		if c.Record > 0 {
			rec := os.NewFile(uintptr(c.Record), "record")
			a.told, _ = io.ReadAll(rec)
			rec.Close()
		}
		f.Done()
	}()
	return a
}

// reach waits until the launch has come to a step, in which it sleeps, and returns
// process 1 and its child, or 0.
func (a *attempt) reach(t *testing.T, step int) (first, second int) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); runtime.Gosched() {
		if first = a.f.Pid(); first <= 0 || a.f.Step() != step {
			continue
		}
		sleeper := first
		if below := linux.Children(first); len(below) == 1 {
			second, sleeper = below[0], below[0]
		}
		if s, err := linux.ReadStat(sleeper); err == nil && s.State == 'S' {
			return first, second
		}
	}
	t.Fatalf("the launch has come to step %d, not to %d", a.f.Step(), step)
	return 0, 0
}

// failed checks that the launch has failed at a step, or at any, and that the
// program has not run.
func (a *attempt) failed(t *testing.T, op spawn.Op) {
	t.Helper()
	timer := time.NewTimer(10 * time.Second)
	defer timer.Stop()
	select {
	case <-a.done:
	case <-timer.C:
		t.Fatal("the launch is not over")
	}
	var e *spawn.Error
	if !errors.As(a.err, &e) || op != "" && e.Op != string(op) || len(a.out) > 0 {
		t.Errorf("%v, the program says %q; want an error of the step %s", a.err, a.out, op)
	}
}

// TestInitIsNotReady: when process 1 does not become ready the program does not
// run, and an abort ends both.
func TestInitIsNotReady(t *testing.T) {
	f := newFixture(t)
	needsPidNamespaces(t, f)
	f.substitute(t, tinyelf.Pause())
	r := jailed("echo must not run")
	a := f.attempt(t, r)
	first, second := a.reach(t, hasInit(r.Plan))
	if second == 0 {
		t.Error("process 1 has no child")
	}
	f.Abort()
	syscall.Kill(first, syscall.SIGKILL)
	a.failed(t, spawn.OpInit)
	f.Rearm()
}

// TestInitEndsEarly: so it is when process 1 ends before it is ready, or cannot
// become its program.
func TestInitEndsEarly(t *testing.T) {
	f := newFixture(t)
	needsPidNamespaces(t, f)
	f.substitute(t, tinyelf.Exit(3))
	f.attempt(t, jailed("echo must not run")).failed(t, "") // wherever its child was
	unix.Close(f.program)
	f.substitute(t, []byte("no program"))
	a := f.attempt(t, jailed("echo must not run"))
	a.failed(t, spawn.OpInit)
	if !errors.Is(a.err, syscall.ENOEXEC) {
		t.Errorf("%v, want %v", a.err, syscall.ENOEXEC)
	}
}

// TestInitKilled kills either process while either of them is in the middle of a
// step.
func TestInitKilled(t *testing.T) {
	f := newFixture(t)
	needsPidNamespaces(t, f)
	fifo := t.TempDir() + "/fifo"
	if err := syscall.Mkfifo(fifo, 0o666); err != nil {
		t.Fatal(err)
	}
	stuck := spawn.Open(spawn.Str(fifo), os.O_RDONLY, 0)
	before := jailed("echo must not run")
	before.Plan.InsertBefore(spawn.OpInit, stuck)
	after := jailed("echo must not run", stuck)
	for name, tt := range map[string]struct {
		r      *Request
		second bool
	}{
		"process 1 before init": {before, false},
		"process 1 after init":  {after, false},
		"the program's to be":   {after, true},
	} {
		t.Run(name, func(t *testing.T) {
			a := f.attempt(t, tt.r)
			step := 0
			for i, s := range tt.r.Plan.Steps {
				if s.Op == spawn.OpOpen {
					step = i
				}
			}
			first, second := a.reach(t, step)
			if tt.second {
				first = second
			}
			if first == 0 {
				t.Fatal("there is no such process")
			}
			syscall.Kill(first, syscall.SIGKILL)
			a.failed(t, spawn.OpOpen)
		})
	}
}

// begun returns process 1 when it is there, or 0 when all is over.
func (a *attempt) begun() int {
	for {
		select {
		case <-a.done:
			return 0
		default:
			if first := a.f.Pid(); first > 0 {
				return first
			}
			runtime.Gosched()
		}
	}
}

// TestInitKilledAnywhere kills process 1 at any moment: the launch fails, and
// nothing ran, or it succeeded and nothing was told.
func TestInitKilledAnywhere(t *testing.T) {
	f := newFixture(t)
	needsPidNamespaces(t, f)
	failed := 0
	for range 200 {
		a := f.attempt(t, jailed("exit 0"))
		if first := a.begun(); first > 0 {
			for until := time.Now().Add(rand.N(1500 * time.Microsecond)); time.Now().Before(until); {
				runtime.Gosched()
			}
			if p := f.Pid(); p == first {
				syscall.Kill(p, syscall.SIGKILL)
			}
		}
		<-a.done
		var e *spawn.Error
		switch {
		case a.err == nil && len(a.told)%pid1.RecordSize != 0:
			t.Errorf("process 1 told %q", a.told)
		case a.err != nil && (!errors.As(a.err, &e) || e.Op == "" || e.Kind != spawn.ErrCanceled):
			t.Errorf("%#v", a.err)
		case a.err != nil:
			failed++
		}
	}
	t.Logf("%d of 200 failed", failed)
}
