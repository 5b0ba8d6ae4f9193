package smoketest

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
)

// outside is the sabotage by which what was to be inside the host is a process of
// its own.
const outside = "process"

// goroutineKill kills a "child" that is a goroutine on a thread of its own, and
// looks what becomes of the host.
func goroutineKill(ctx context.Context, s *stage) (string, error) {
	host, err := s.start(nil, "host", s.sabotage)
	if err != nil {
		return "", err
	}
	text, err := host.expect(ctx, "child")
	if err != nil {
		return "", err
	}
	child, err := strconv.Atoi(text)
	if err != nil {
		return "", err
	}
	group := host.pid()
	if s.sabotaged(outside) {
		group = child
	}
	if err := host.answers(ctx); err != nil {
		return "", err
	}
	if _, _, errno := syscall.Syscall(syscall.SYS_TGKILL, uintptr(group), uintptr(child), uintptr(syscall.SIGKILL)); errno != 0 {
		return "", fmt.Errorf("tgkill: %w", errno)
	}
	if s.sabotaged(outside) {
		if err := host.answers(ctx); err == nil {
			return "", errors.New("the child was killed, and the host answers")
		}
	}
	status, err := host.wait(ctx)
	switch {
	case err != nil:
		return "", err
	case !status.Signaled() || status.Signal() != syscall.SIGKILL:
		return "", fmt.Errorf("the host ended with %s", statusText(status))
	}
	return fmt.Sprintf("SIGKILL went to thread %d of process %d, by tgkill(2), and the whole process was killed", child, group), nil
}

// host has a child, in the one way or the other, and answers.
func host(args []string) int {
	if args[0] == outside {
		cmd := command("pauser")
		in, err := cmd.StdinPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			say("error %v", err)
			return 1
		}
		defer func() { in.Close(); cmd.Wait() }()
		say("child %d", cmd.Process.Pid)
	} else {
		t := newThread()
		t.calls <- func() {
			for { // busy with whatever it is there for
				syscall.Getppid()
			}
		}
		say("child %d", t.tid)
	}
	return answer()
}

// pauser is nothing but there.
func pauser([]string) int {
	untilEnd()
	return 0
}

// pluginCrash has a backend crash that is code inside the host, and then one that is
// a process of its own.
func pluginCrash(ctx context.Context, s *stage) (string, error) {
	first := "inside"
	if s.sabotaged(outside) {
		first = outside
	}
	host, err := s.start(nil, "loader", first)
	if err != nil {
		return "", err
	}
	if _, err := host.expect(ctx, "up"); err != nil {
		return "", err
	}
	if err := host.tell(ctx, "call"); err != nil {
		return "", err
	}
	if said, err := host.line(ctx); err == nil {
		return "", fmt.Errorf("the backend crashed, and the host says: %s", said)
	}
	inside, err := host.wait(ctx)
	if err != nil {
		return "", err
	}
	if inside.ExitStatus() != crashCode {
		return "", fmt.Errorf("the backend crashed, and the host ended with %s", statusText(inside))
	}
	if host, err = s.start(nil, "loader", outside); err != nil {
		return "", err
	}
	if _, err := host.expect(ctx, "up"); err != nil {
		return "", err
	}
	if err := host.tell(ctx, "call"); err != nil {
		return "", err
	}
	said, err := host.expect(ctx, "backend")
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("the host ended with its backend, %s, although it recovers from panics; with a backend of its own process it says: backend %s", statusText(inside), said), nil
}

// loader is a host that calls its backend when it is told to.
func loader(args []string) int {
	say("up")
	var line string
	fmt.Scanln(&line)
	if args[0] == outside {
		err := command("crasher").Run()
		var ee *exec.ExitError
		if !errors.As(err, &ee) {
			say("error %v", err)
			return 1
		}
		say("backend %v", ee)
		untilEnd()
		return 0
	}
	defer func() { recover() }()
	return crasher(nil)
}

// crashCode is what the Go runtime exits with.
const crashCode = 2

// crasher crashes as a program does that has a bug.
func crasher([]string) int {
	var mu sync.Mutex
	mu.Unlock() // fatal error: recover does not help
	return 0
}
