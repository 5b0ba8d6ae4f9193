//go:build linux

package host_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/helperproc"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/internal/tinyelf"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// TestPressure exhausts what the machine gives to a host or its keeper. Each
// time there is an error that can be told from others, says which limit it is,
// and is retryable; nothing is left over; and all is well when the pressure is
// over. The end of processes has a test in internal/keeper as well.
func TestPressure(t *testing.T) {
	for name := range pressures() {
		t.Run(name, func(t *testing.T) {
			if raceEnabled && name == "open without processes" {
				t.Skip("the race detector aborts a program that gets no thread")
			}
			cmd := helperproc.Command("pressure", name)
			cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR=", "TMPDIR=/tmp") // those of the user it becomes
			if out, err := cmd.CombinedOutput(); err != nil || string(out) != "ok\n" {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// pressures has what is done to a host that has run a child already.
func pressures() map[string]func(h *host.Host, keeper int) error {
	return map[string]func(h *host.Host, keeper int) error{
		"host without descriptors":   hostWithoutDescriptors,
		"host with few descriptors":  hostWithFewDescriptors,
		"keeper without descriptors": keeperWithoutDescriptors,
		"keeper without processes":   keeperWithoutProcesses,
		"keeper without memory":      keeperWithoutMemory,
		"open without processes":     openWithoutProcesses,
		"descriptors in flight":      descriptorsInFlight,
	}
}

// pressureHelper is an ordinary user's host under pressure.
func pressureHelper(args []string) int {
	if os.Getuid() == 0 { // a user who has nothing else, so that limits are exact
		const who = 54322
		if err := errors.Join(syscall.Setgroups(nil), syscall.Setresgid(who, who, who), syscall.Setresuid(who, who, who)); err != nil {
			fmt.Println(err)
			return 1
		}
	}
	if err := underPressure(pressures()[args[0]]); err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("ok")
	return 0
}

func underPressure(press func(h *host.Host, keeper int) error) error {
	h, err := host.Open(host.Config{Timeouts: host.Timeouts{Spawn: 2 * time.Second}})
	if err != nil {
		return err
	}
	defer h.Close()
	if err := h.Command("true").Run(); err != nil {
		return fmt.Errorf("before: %w", err)
	}
	files := countFiles()
	if err := press(h, linux.Children(os.Getpid())[0]); err != nil {
		return err
	}
	if err := h.Command("true").Run(); err != nil {
		return fmt.Errorf("after: %w", err)
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(10 * time.Second); countFiles() > files; <-tick.C { // a pidfd is closed a moment after the end is told
		if time.Now().After(end) {
			return fmt.Errorf("%d descriptors before, %d after", files, countFiles())
		}
	}
	keepers := linux.Children(os.Getpid())
	if plugins := linux.Children(keepers[0]); len(keepers) != 1 || len(plugins) > 1 {
		return fmt.Errorf("children: %v, and theirs: %v; want a keeper, and no more than a plugin", keepers, plugins)
	}
	return h.Close()
}

func countFiles() int {
	names, _ := os.ReadDir("/proc/self/fd")
	return len(names)
}

// short returns nil for a retryable error with the errno and the text.
func short(err error, errno syscall.Errno, text string) error {
	var e *spawn.Error
	if !errors.As(err, &e) || !e.Retryable() || !errors.Is(err, errno) || !strings.Contains(err.Error(), text) {
		return fmt.Errorf("got %w; want a retryable %q that says %q", err, errno, text)
	}
	return nil
}

// setLimit sets the soft limit of a process and returns a function that puts it
// back.
func setLimit(pid, resource int, n uint64) (restore func()) {
	var old syscall.Rlimit
	set := func(l, old *syscall.Rlimit) {
		if _, _, e := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(pid), uintptr(resource), uintptr(unsafe.Pointer(l)), uintptr(unsafe.Pointer(old)), 0, 0); e != 0 {
			panic(e)
		}
	}
	set(nil, &old)
	set(&syscall.Rlimit{Cur: n, Max: old.Max}, nil)
	return func() { set(&old, nil) }
}

func hostWithoutDescriptors(h *host.Host, _ int) error {
	defer setLimit(os.Getpid(), syscall.RLIMIT_NOFILE, uint64(countFiles()+20))()
	for free := range 8 { // at each of the places that need one
		var hold []int
		for {
			fd, err := syscall.Open(os.DevNull, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
			if err != nil {
				break
			}
			hold = append(hold, fd)
		}
		for range free {
			syscall.Close(hold[len(hold)-1])
			hold = hold[:len(hold)-1]
		}
		_, err := h.Start(context.Background(), sh("exit 0"))
		if free == 0 || err != nil {
			err = short(err, syscall.EMFILE, "RLIMIT_NOFILE")
		}
		_, outputErr := h.Command("echo").Output()
		if outputErr != nil && !errors.Is(outputErr, syscall.EMFILE) {
			err = errors.Join(err, outputErr)
		}
		for _, fd := range hold {
			syscall.Close(fd)
		}
		if err != nil {
			return fmt.Errorf("with room for %d: %w", free, err)
		}
	}
	return nil
}

// hostWithFewDescriptors has more children than descriptors: it keeps some of
// these for the program, and reaches the children all the same.
func hostWithFewDescriptors(h *host.Host, _ int) error {
	const limit, children = 64, 100
	path := "/tmp/few-" + strconv.Itoa(os.Getpid())
	if err := tinyelf.Write(path, tinyelf.Pause()); err != nil {
		return err
	}
	defer os.Remove(path)
	defer setLimit(os.Getpid(), syscall.RLIMIT_NOFILE, limit)()
	var procs []*host.Process
	for i := range children {
		p, err := h.Start(context.Background(), spawn.Spec{Path: path})
		if err != nil {
			return fmt.Errorf("child %d of %d: %w", i, children, err)
		}
		procs = append(procs, p)
	}
	if n := countFiles(); n > limit-limit/4+2 { // one is the folder that is read, one a pidfd that has just come
		return fmt.Errorf("%d descriptors of %d are open: want a quarter kept free", n, limit)
	}
	for i, p := range procs {
		sig := []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL, syscall.SIGUSR1}[i%3]
		if err := p.Signal(sig); err != nil {
			return fmt.Errorf("signal to child %d: %w", i, err)
		}
		if s, err := p.Wait(); err != nil || s.Signal != sig {
			return fmt.Errorf("child %d: %v, %w; want signal %v", i, s, err, sig)
		}
	}
	return nil
}

func keeperWithoutDescriptors(h *host.Host, keeper int) error {
	restore := setLimit(keeper, syscall.RLIMIT_NOFILE, 60)
	defer restore()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	defer null.Close()
	many := sh("exit 0")
	for range 100 {
		many.Files = append(many.Files, null)
	}
	for range 20 {
		_, err := h.Start(context.Background(), many)
		if err := short(err, syscall.EMFILE, "RLIMIT_NOFILE"); err != nil {
			return err
		}
		if err := h.Command("true").Run(); err != nil {
			return fmt.Errorf("a small one: %w", err)
		}
	}
	restore()
	p, err := h.Start(context.Background(), many)
	if err != nil {
		return err
	}
	<-p.Done()
	return nil
}

func keeperWithoutProcesses(h *host.Host, keeper int) error {
	settle(keeper)
	const nproc = 6
	restore := setLimit(keeper, nproc, 1)
	defer restore()
	var wg sync.WaitGroup
	errs := make(chan error, 16)
	for range cap(errs) {
		wg.Go(func() {
			var err error
			for range 20 {
				_, serr := h.Start(context.Background(), sh("exit 0"))
				err = errors.Join(err, short(serr, syscall.EAGAIN, "RLIMIT_NPROC"))
			}
			errs <- err
		})
	}
	wg.Wait()
	for range cap(errs) {
		if err := <-errs; err != nil {
			return err
		}
	}
	return nil
}

// settle waits until a keeper that was just started has the threads that it
// keeps for such times.
func settle(keeper int) {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for last, same := 0, 0; same < 200; <-tick.C {
		tasks, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", keeper))
		if same++; len(tasks) != last {
			last, same = len(tasks), 0
		}
	}
}

// keeperWithoutMemory: a Go program that gets no memory is aborted. It is the
// end of the keeper, and the host knows.
func keeperWithoutMemory(h *host.Host, keeper int) error {
	p, err := h.Start(context.Background(), sh("sleep 100"))
	if err != nil {
		return err
	}
	setLimit(keeper, syscall.RLIMIT_AS, 1<<20)
	big := sh("exit 0")
	for range 40 {
		big.Args = append(big.Args, strings.Repeat("x", 100_000))
	}
	for range 50 { // until what it has in stock is used up
		if _, err = h.Start(context.Background(), big); errors.Is(err, spawn.ErrKeeperGone) {
			break
		}
	}
	var e *spawn.Error
	if errors.Is(err, syscall.E2BIG) {
		syscall.Kill(keeper, syscall.SIGKILL) // it had enough
	} else if !errors.As(err, &e) || !e.Retryable() || !errors.Is(err, spawn.ErrKeeperGone) {
		return fmt.Errorf("got %w; want a retryable error: the keeper is gone", err)
	}
	if s, err := p.Wait(); s.Source != spawn.Lost || !errors.Is(err, spawn.ErrLost) {
		return fmt.Errorf("the child it had: %v, %w; want lost", s, err)
	}
	return nil
}

func openWithoutProcesses(*host.Host, int) error {
	var threads sync.WaitGroup // those that the runtime may want later
	for range 20 {
		threads.Add(1)
		go func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			threads.Done()
			threads.Wait()
		}()
	}
	threads.Wait()
	const nproc = 6
	restore := setLimit(os.Getpid(), nproc, 1)
	defer restore()
	_, err := host.Open(host.Config{})
	return short(err, syscall.EAGAIN, "RLIMIT_NPROC")
}

// descriptorsInFlight: Linux counts descriptors that were sent and not yet
// received, for each ordinary user.
func descriptorsInFlight(h *host.Host, keeper int) error {
	defer setLimit(os.Getpid(), syscall.RLIMIT_NOFILE, 128)()
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	many := make([]int, 130)
	if err := syscall.Sendmsg(pair[0], nil, syscall.UnixRights(many...), nil, 0); err != nil {
		return err
	}
	_, err = h.Start(context.Background(), withFiles(3))
	err = short(err, syscall.ETOOMANYREFS, "in flight")
	syscall.Close(pair[0])
	syscall.Close(pair[1]) // and with them what was in flight
	if err != nil {
		return err
	}
	// Those of other launches are waited for.
	if err := syscall.Kill(keeper, syscall.SIGSTOP); err != nil {
		return err
	}
	errs := make(chan error)
	for range 10 {
		go func() {
			p, err := h.Start(context.Background(), withFiles(40))
			if err == nil {
				<-p.Done()
			}
			errs <- err
		}()
	}
	timer := time.NewTimer(300 * time.Millisecond)
	defer timer.Stop()
	select {
	case err = <-errs:
		return fmt.Errorf("by a keeper that is stopped: %w", err)
	case <-timer.C:
	}
	err = syscall.Kill(keeper, syscall.SIGCONT)
	for range 10 {
		err = errors.Join(err, <-errs)
	}
	return err
}

// withFiles is a child with n descriptors.
func withFiles(n int) spawn.Spec {
	s := sh("exit 0")
	for range n {
		s.Files = append(s.Files, os.Stdin)
	}
	return s
}
