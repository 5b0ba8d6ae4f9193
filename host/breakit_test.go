//go:build linux

package host_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/helperproc"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// TestKeeperKilledAtAnyMoment kills keepers in the middle of launches and of
// reports of exits. Each Start and each Wait returns, with a status or an error
// of the right kind; no child runs on; the next child comes from a new keeper.
func TestKeeperKilledAtAnyMoment(t *testing.T) {
	h := open(t, host.Config{})
	mark := newMark()
	long := spawn.Spec{Path: "sleep", Args: []string{"sleep", mark}}
	rounds := 40
	if testing.Short() || raceEnabled {
		rounds = 10
	}
	for round := range rounds {
		wait(t, start(t, h, sh("exit 0")), 10*time.Second)
		keeper := keeperOf(t)
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() { spawnUntilGone(t, h, []spawn.Spec{long, sh("exit 7")}[i%2]) })
		}
		timer := time.NewTimer(time.Duration(round) * 300 * time.Microsecond)
		<-timer.C // the moment is the point
		if err := syscall.Kill(keeper, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		wg.Wait()
	}
	gone(t, 10*time.Second, marked(mark)...)
}

// spawnUntilGone starts children until one fails or there are many, some of them
// by the next keeper, and ends them.
func spawnUntilGone(t *testing.T, h *host.Host, spec spawn.Spec) {
	var procs []*host.Process
	for range 40 {
		begin := time.Now()
		p, err := h.Start(context.Background(), spec)
		if d := time.Since(begin); d > 8*time.Second { // Timeouts.Spawn is 10 s
			t.Errorf("Start took %v: %v", d, err)
		}
		if err != nil {
			var e *spawn.Error
			if !errors.As(err, &e) || !e.Retryable() || !errors.Is(err, spawn.ErrKeeperGone) {
				t.Errorf("Start: %v; want that the keeper is gone", err)
			}
			break
		}
		procs = append(procs, p)
	}
	stopAll(t, procs)
}

// stopAll ends children and checks what is said of them.
func stopAll(t *testing.T, procs []*host.Process) {
	for _, p := range procs {
		if err := p.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) && !errors.Is(err, spawn.ErrKeeperGone) {
			t.Errorf("Kill: %v", err)
		}
		select {
		case <-p.Done():
		case <-time.After(10 * time.Second):
			t.Errorf("child %d has no end", p.Pid())
			continue
		}
		s, err := p.Wait()
		if lost := s.Source == spawn.Lost; lost != errors.Is(err, spawn.ErrLost) || !lost && s.Code != 7 && s.Signal != syscall.SIGKILL {
			t.Errorf("child %d: %+v, %v", p.Pid(), s, err)
		}
	}
}

// newMark returns how long to sleep for a sleep to be told from all others.
func newMark() string {
	return fmt.Sprintf("%d.%09d", 100_000+os.Getpid(), time.Now().Nanosecond())
}

// marked returns the processes that have mark as an argument.
func marked(mark string) (pids []int) {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		if b, err := os.ReadFile(file); err == nil && bytes.Contains(b, []byte("\x00"+mark+"\x00")) {
			var pid int
			fmt.Sscanf(file, "/proc/%d/", &pid)
			pids = append(pids, pid)
		}
	}
	return pids
}

// TestHostThatDoesNotRead stops a host while thousands of its children end. The
// keeper holds on to what it cannot tell: those children stay zombies. It tells
// when the host goes on, and ends when the host is killed.
func TestHostThatDoesNotRead(t *testing.T) {
	var files syscall.Rlimit
	syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files)
	switch {
	case testing.Short() || raceEnabled:
		t.Skip("takes ten seconds, and more under the race detector")
	case files.Cur < unreadChildren+100:
		t.Skipf("needs a descriptor for each of %d children; RLIMIT_NOFILE is %d", unreadChildren, files.Cur)
	}
	for _, then := range []syscall.Signal{syscall.SIGCONT, syscall.SIGKILL} {
		cmd := helperproc.Command("unread")
		next := lines(t, cmd)
		keeper := next()[0]
		children := linux.Children(keeper)
		stop(t, cmd.Process.Pid)
		for _, pid := range sleeping(children) {
			syscall.Kill(pid, syscall.SIGTERM)
		}
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for end := time.Now().Add(20 * time.Second); len(sleeping(children)) > 0; <-tick.C {
			if time.Now().After(end) {
				t.Fatal("children do not end")
			}
		}
		if n := len(linux.Children(keeper)); n < 100 {
			t.Errorf("%d children of the keeper: want those whose exits it cannot tell", n)
		}
		if err := cmd.Process.Signal(then); err != nil {
			t.Fatal(err)
		}
		if then == syscall.SIGKILL {
			cmd.Wait()
			gone(t, 10*time.Second, append(children, keeper)...)
		} else if got := next()[0]; got != unreadChildren {
			t.Errorf("%d of %d children ended by SIGTERM", got, unreadChildren)
		}
	}
}

// sleeping returns those of the processes that are a sleep and no zombie.
func sleeping(pids []int) (left []int) {
	for _, pid := range pids {
		if s, err := linux.ReadStat(pid); err == nil && s.Comm == "sleep" && s.State != 'Z' {
			left = append(left, pid)
		}
	}
	return left
}

// unreadChildren have more exits than fit on a lane.
const unreadChildren = 3000

// unreadHelper is a host that says its keeper's pid when it has children, and
// how many of them were ended by SIGTERM when it knows.
func unreadHelper([]string) int {
	h, err := host.Open(host.Config{})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer h.Close()
	var procs []*host.Process
	for range unreadChildren {
		p, err := h.Start(context.Background(), spawn.Spec{Path: "/bin/sleep", Args: []string{"sleep", "1000"}, Env: []string{}})
		if err != nil {
			fmt.Println(err)
			return 1
		}
		procs = append(procs, p)
	}
	fmt.Println(linux.Children(os.Getpid())[0])
	termed := 0
	for _, p := range procs {
		if s, _ := p.Wait(); s.Signal == syscall.SIGTERM {
			termed++
		}
	}
	fmt.Println(termed)
	return 0
}
