package keeper

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// TestNoMoreProcesses takes from the keeper of an ordinary user the right to
// make another process or thread, at moments of every kind. It says so each
// time, loses nothing, and works again when the pressure is over.
func TestNoMoreProcesses(t *testing.T) {
	t.Run("RLIMIT_NPROC", func(t *testing.T) { noMoreProcesses(t, "nproc") })
	t.Run("pids.max", func(t *testing.T) {
		dir, err := pidsGroup()
		if err != nil {
			t.Skip("needs a cgroup of the controller pids that it may write: ", err)
		}
		t.Cleanup(func() {
			if !within(5*time.Second, func() bool { return os.Remove(dir) == nil }) { // not before its processes are gone
				t.Error("cannot remove ", dir)
			}
		})
		t.Setenv("KEEPER_TEST_GROUP", dir)
		noMoreProcesses(t, "pids")
	})
}

func noMoreProcesses(t *testing.T, what string) {
	h := helper(t, what)
	for _, want := range []string{"before ok\n", "idle ok\n", "stuck ok\n", "after ok\n"} {
		if got := h.line(t); got != want {
			t.Fatalf("the helper says %q, want %q", got, want)
		}
	}
}

// ordinary is a user that has no processes, so that limits of one are exact.
const ordinary = 54321

// pidsGroup makes a cgroup that limits processes, in version 1 or 2.
func pidsGroup() (dir string, err error) {
	for _, root := range []string{"/sys/fs/cgroup/pids", "/sys/fs/cgroup"} {
		if dir, err = os.MkdirTemp(root, "hatchery-press-*"); err != nil {
			continue
		}
		if err = os.WriteFile(dir+"/pids.max", []byte("max"), 0); err == nil {
			return dir, nil
		}
		os.Remove(dir)
	}
	return "", err
}

// pidsHelper is pressHelper in a cgroup.
func pidsHelper() {
	dir, joined := os.Getenv("KEEPER_TEST_GROUP"), false
	pressHelper(func(pid, n int) int {
		if !joined {
			joined = true
			if err := os.WriteFile(dir+"/cgroup.procs", fmt.Append(nil, pid), 0); err != nil {
				fmt.Println(err)
			}
		}
		if err := os.WriteFile(dir+"/pids.max", fmt.Append(nil, n), 0); err != nil {
			fmt.Println(err)
		}
		return threads(pid)
	})
}

// nprocHelper is pressHelper as an ordinary user.
func nprocHelper() {
	if os.Getuid() == 0 {
		if err := errors.Join(syscall.Setgroups(nil), syscall.Setresgid(ordinary, ordinary, ordinary), syscall.Setresuid(ordinary, ordinary, ordinary)); err != nil {
			fmt.Println(err)
			return
		}
	}
	pressHelper(limitProcesses)
}

// pressHelper is a host whose keeper is put under pressure: limit lets a process
// have so many processes and threads, and returns how many threads it has. What
// the helper says is checked above.
func pressHelper(limit func(pid, n int) int) {
	dir, err := os.MkdirTemp("/tmp", "hatchery-nproc-*")
	if err != nil {
		fmt.Println(err)
		return
	}
	fifo := dir + "/fifo"
	c, serr := Start(Config{})
	if err := errors.Join(serr, syscall.Mkfifo(fifo, 0o600)); err != nil {
		fmt.Println(err)
		return
	}
	plain, _ := spawn.Standard(&spawn.Spec{}).AppendBinary(nil)
	stuck := spawn.Standard(&spawn.Spec{})
	stuck.Insert(spawn.Open(spawn.Str(fifo), os.O_RDONLY, 0))
	blocked, _ := stuck.AppendBinary(nil)
	fmt.Println("before", text(attempt(c, plain)))
	settle(c.Pid())
	tasks := limit(c.Pid(), 1)
	fmt.Println("idle", many(50, func() error { return refused(attempt(c, plain)) }))
	limit(c.Pid(), tasks+30) // some get stuck, others find no room, and so may those who come to help
	fmt.Println("stuck", many(2, func() error { return refused(attempt(c, blocked)) }))
	limit(c.Pid(), 10000)
	after := text(attempt(c, plain))
	c.Close(0, time.Second)
	os.RemoveAll(dir)
	fmt.Println("after", after) // the last word: then the helper is killed
}

// attempt launches a child, which has a second for it, and waits for its end.
func attempt(c *Client, plan []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	exit := make(chan Exit, 1)
	l := &Launch{Plan: plan, Path: "/bin/true", Args: []string{"true"}}
	s, err := c.Launch(ctx, l, func(e Exit) { exit <- e })
	if err != nil {
		return err
	}
	syscall.Close(s.Pidfd)
	if e := <-exit; e.Status.Code != 0 {
		return errors.New(e.Status.String())
	}
	return nil
}

// refused returns nil for the errors of a child that could not be made, or that
// got stuck.
func refused(err error) error {
	var e *spawn.Error
	if errors.As(err, &e) && (e.Errno == syscall.EAGAIN && e.Retryable() || e.Kind == spawn.ErrTimeout && e.Op == "open") {
		return nil
	}
	return fmt.Errorf("got %v", err)
}

func text(err error) string {
	if err != nil {
		return err.Error()
	}
	return "ok"
}

// many calls try often and at once, and returns the first error or "ok".
func many(times int, try func() error) string {
	var wg sync.WaitGroup
	errs := make(chan error, 100)
	for range cap(errs) {
		wg.Go(func() {
			for range times {
				if err := try(); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	select {
	case err := <-errs:
		return err.Error()
	default:
		return "ok"
	}
}

// limitProcesses sets the limit of processes and threads of pid's user, as far
// as pid is concerned, and returns how many threads pid has.
func limitProcesses(pid, n int) int {
	const resource = 6 // RLIMIT_NPROC
	var l syscall.Rlimit
	syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(pid), resource, 0, uintptr(unsafe.Pointer(&l)), 0, 0)
	l.Cur = min(uint64(n), l.Max)
	if _, _, e := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(pid), resource, uintptr(unsafe.Pointer(&l)), 0, 0, 0); e != 0 {
		panic(e)
	}
	return threads(pid)
}

func threads(pid int) int {
	tasks, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	return len(tasks)
}

// settle waits until a keeper that was just started has the threads it wants.
func settle(pid int) {
	last, same := 0, 0
	within(10*time.Second, func() bool {
		n := threads(pid)
		if same++; n != last {
			last, same = n, 0
		}
		return same > 200 // looks, 2 ms apart
	})
}
