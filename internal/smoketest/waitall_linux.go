package smoketest

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"syscall"
)

// waitsForOne is the sabotage by which the process waits for the child that it
// has, not for any.
const waitsForOne = "waits_for_one"

// waitAllSteals starts a process that waits for a child by os/exec and for any child by
// wait4(2).
func waitAllSteals(ctx context.Context, s *stage) (string, error) {
	v, err := s.start(nil, "waiter", s.sabotage)
	if err != nil {
		return "", err
	}
	got, err := v.expect(ctx, "wait4")
	if err != nil {
		return "", err
	}
	text, err := v.expect(ctx, "os/exec")
	if err != nil {
		return "", err
	}
	if got != "7" || text != syscall.ECHILD.Error() {
		return "", fmt.Errorf("wait4(-1) got %q and os/exec %q", got, text)
	}
	return "wait4(-1) had the exit code 7 of os/exec's child, whose Wait said: " + text, nil
}

// waiter has a child of os/exec, and a loop that reaps whatever there is. It says
// what each of them was told.
func waiter(args []string) int {
	cmd := command("exiter", "7")
	if err := cmd.Start(); err != nil {
		say("error %v", err)
		return 1
	}
	if args[0] == waitsForOne {
		err := cmd.Wait()
		_, werr := syscall.Wait4(-1, nil, 0, nil)
		say("wait4 %v", werr)
		say("os/exec %v", err)
		return 0
	}
	var status syscall.WaitStatus
	for {
		_, err := syscall.Wait4(-1, &status, 0, nil)
		if err == nil {
			break
		}
		if err != syscall.EINTR {
			say("wait4 %v", err)
			return 1
		}
	}
	say("wait4 %d", status.ExitStatus())
	var errno syscall.Errno
	if err := cmd.Wait(); errors.As(err, &errno) {
		say("os/exec %v", errno)
	} else {
		say("os/exec %v, exited %v", err, exited(cmd))
	}
	return 0
}

// exiter exits with the code that is its argument.
func exiter(args []string) int {
	var code int
	fmt.Sscan(args[0], &code)
	return code
}

func exited(cmd *exec.Cmd) bool { return cmd.ProcessState != nil && cmd.ProcessState.Exited() }
