//go:build linux && (amd64 || arm64)

package launch

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// mapped is a child in a user namespace whose ids are written from outside.
func mapped(uids, gids, script string, steps ...spawn.Step) *Request {
	r := shell(script, append([]spawn.Step{spawn.UIDMap(uids), spawn.GIDMap(gids)}, steps...)...)
	r.Plan.Steps[0] = spawn.Clone(unix.CLONE_NEWUSER)
	return r
}

// one maps a single id, which anybody may from outside too, but for groups.
func one(t *testing.T, f *fixture, script string) *Request {
	needsUserNamespaces(t, f)
	r := mapped(fmt.Sprintf("7 %d 1", os.Geteuid()), "", script)
	r.Plan.Steps = append(r.Plan.Steps[:2], r.Plan.Steps[3:]...)
	return r
}

func TestMapFromOutside(t *testing.T) {
	f := newFixture(t)
	out, ws, err := f.output(t, one(t, f, `echo $(id -u) $(cat /proc/self/uid_map)`))
	if want := fmt.Sprintf("7 7 %d 1\n", os.Geteuid()); err != nil || ws != 0 || out != want {
		t.Errorf("%v, %v, got %q, want %q", err, ws, out, want)
	}
}

func TestMapsOfRanges(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	f := newFixture(t)
	needsUserNamespaces(t, f)
	r := mapped("0 100000 1000\n1000 300000 5", "0 200000 10", `id -u; id -g; id -G; cat /proc/self/uid_map | tr -s ' '`,
		spawn.Setgroups(3), spawn.Setresgid(9), spawn.Setresuid(1004))
	const want = "1004\n9\n9 3\n 0 100000 1000\n 1000 300000 5\n"
	for range 20 { // a thread is used again
		if out, ws, err := f.output(t, r); err != nil || ws != 0 || out != want {
			t.Fatalf("%v, %v, got %q, want %q", err, ws, out, want)
		}
		r.Files = nil
	}
}

// TestMapThatIsRefused: the error is the kernel's, and names the step.
func TestMapThatIsRefused(t *testing.T) {
	f := newFixture(t)
	needsUserNamespaces(t, f)
	for text, want := range map[string]syscall.Errno{"0 zero 1": unix.EINVAL, "0 4294967295 1": unix.EINVAL, "": unix.EINVAL, "0 1 4294967294": unix.EPERM} {
		if os.Geteuid() == 0 && want == unix.EPERM {
			continue
		}
		_, _, err := f.output(t, mapped(text, "", "exit 0"))
		var e *spawn.Error
		if !errors.As(err, &e) || e.Errno != want || e.Op != string(spawn.OpUIDMap) {
			t.Errorf("%q: %v, want %v", text, err, want)
		}
	}
}

// TestKilledBeforeAndWhileItWaits: whatever moment a child is killed at, the
// launch comes back, and the next one works.
func TestKilledBeforeAndWhileItWaits(t *testing.T) {
	f := newFixture(t)
	r := one(t, f, "exit 0")
	for i := range 300 {
		var over atomic.Bool
		var killer sync.WaitGroup
		killer.Go(func() {
			for f.Pid() == 0 && !over.Load() {
			}
			for range 50 * i { // some time: no event tells how far it is
			}
			if pid := f.Pid(); pid > 0 {
				syscall.Kill(pid, syscall.SIGKILL)
			}
		})
		r.Files, r.Null = nil, int(f.null.Fd())
		child, err := f.Launch(r)
		over.Store(true)
		killer.Wait()
		f.Done()
		if err == nil {
			unix.Close(child.Pidfd)
		}
		if child.Pid != 0 {
			reap(t, child.Pid)
		}
	}
	if _, ws, err := f.output(t, one(t, f, "exit 3")); err != nil || ws.ExitStatus() != 3 {
		t.Errorf("afterwards: %v, %v", ws, err)
	}
}

// TestNobodyDoesTheErrand: a child that is given up while it waits gives up, and
// one that nobody answers does so after a time.
func TestNobodyDoesTheErrand(t *testing.T) {
	var s state
	var p Progress
	s.reset(nil, &p)
	limit := unix.Timespec{Nsec: 1e6}
	if e := s.ask(1, uintptr(unsafe.Pointer(&limit))); e != unix.ETIMEDOUT {
		t.Errorf("nobody answers: %v", e)
	}
	p.Abort()
	limit = unix.Timespec{Sec: 60}
	if e := s.ask(1, uintptr(unsafe.Pointer(&limit))); e != unix.ECANCELED {
		t.Errorf("it is given up: %v", e)
	}
	s.done = 1<<errnoBits | uint32(unix.EPERM)
	if e := s.ask(1, uintptr(unsafe.Pointer(&limit))); e != unix.EPERM {
		t.Errorf("it was done already: %v", e)
	}
}

// TestAbortBeforeTheErrand gives a child up that waits for who opens a fifo, before its errand is asked for.
func TestAbortBeforeTheErrand(t *testing.T) {
	f := newFixture(t)
	r := one(t, f, "exit 0")
	fifo := t.TempDir() + "/fifo"
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	r.Plan.InsertBefore(spawn.OpUIDMap, spawn.Open(spawn.Str(fifo), os.O_RDONLY, 0))
	r.Null = int(f.null.Fd())
	pid := make(chan int, 1)
	go func() {
		for f.Pid() == 0 || f.Step() == 0 {
			<-time.After(time.Millisecond) // it writes to memory, and tells nobody
		}
		f.Abort()
		syscall.Kill(f.Pid(), syscall.SIGKILL)
		pid <- f.Pid()
	}()
	child, err := f.Launch(r)
	if got := <-pid; !errors.Is(err, spawn.ErrCanceled) || child.Pid != got {
		t.Errorf("%v, child %d of %d", err, child.Pid, got)
	}
	f.Done()
	f.Rearm()
	reap(t, child.Pid)
}
