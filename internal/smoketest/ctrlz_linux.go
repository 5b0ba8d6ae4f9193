package smoketest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"github.com/hatchery-spawn/hatchery/internal/linux"
)

// In which process group the helper of a session leader is.
const (
	groupOfOwn    = "group_of_its_own"
	groupOfLeader = "group_of_the_leader"
)

// ctrlZ presses Ctrl-Z at the terminal of a session leader, whose children have a
// helper as their parent.
func ctrlZ(ctx context.Context, s *stage) (string, error) {
	for _, group := range []string{groupOfOwn, groupOfLeader} {
		freezes := group == groupOfOwn
		if s.sabotage != "" {
			group = s.sabotage
		}
		frozen, err := s.pressCtrlZ(ctx, group)
		switch {
		case err != nil:
			return "", err
		case freezes && !frozen:
			return "", errors.New("the session leader was not stopped, and answers")
		case !freezes && frozen:
			return "", errors.New("the session leader was stopped, with the helper in its own group")
		}
	}
	return "with the helper in a group of its own the session leader was stopped (state T), and there is nobody to continue it; with the helper in the leader's group it answers", nil
}

// pressCtrlZ reports whether that stops the leader.
func (s *stage) pressCtrlZ(ctx context.Context, group string) (stopped bool, err error) {
	master, slave, _, err := linux.OpenPTY()
	if err != nil {
		return false, unable("%w", err)
	}
	terminal, theirs := os.NewFile(uintptr(master), "terminal"), os.NewFile(uintptr(slave), "terminal")
	s.files = append(s.files, terminal, theirs)
	v, err := s.start(func(c *exec.Cmd) {
		c.ExtraFiles = []*os.File{theirs}
		c.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 3}
	}, "leader", group)
	if err != nil {
		return false, err
	}
	defer v.cmd.Process.Kill() // it may be stopped
	for range 2 {
		pid, err := v.startedPid(ctx)
		if err != nil {
			return false, err
		}
		pidfd, err := s.follow(pid)
		if err != nil {
			return false, err
		}
		defer linux.PidfdSignal(pidfd, syscall.SIGKILL) // it may be, too
	}
	if _, err := terminal.Write([]byte{'Z' - '@'}); err != nil {
		return false, err
	}
	if err := awaitEcho(ctx, terminal, "^Z"); err != nil {
		return false, err
	}
	return v.stoppedByTerminal(ctx)
}

// stoppedByTerminal reports whether a SIGTSTP that has been sent stops the victim.
func (v *victim) stoppedByTerminal(ctx context.Context) (bool, error) {
	dir := fmt.Sprintf("/proc/%d/", v.pid())
	stopped := func() bool { return stateOf(v.pid()) == "T" }
	taken := func() bool { return stopped() || !pendingSignal(dir, syscall.SIGTSTP) }
	if err := poll(ctx, taken, "SIGTSTP stays pending"); err != nil {
		return false, err
	}
	// One of its threads has taken the signal. It may not have come to stopping
	// the others yet.
	for range 10 {
		answered := v.asked(ctx)
		if err := poll(ctx, func() bool { return len(answered) > 0 || stopped() }, "the session leader neither stopped nor answered"); err != nil {
			return false, err
		}
		if stopped() {
			v.cmd.Process.Kill()
			<-answered // that it is gone
			return true, nil
		}
		if err := <-answered; err != nil {
			return false, err
		}
	}
	return false, nil
}

// awaitEcho waits until the terminal has taken a key, which it shows when it has
// sent the signal.
func awaitEcho(ctx context.Context, terminal *os.File, echo string) error {
	at, _ := ctx.Deadline()
	terminal.SetReadDeadline(at)
	var seen []byte
	b := make([]byte, 64)
	for !bytes.Contains(seen, []byte(echo)) {
		n, err := terminal.Read(b)
		if err != nil {
			return fmt.Errorf("the terminal does not show %s: %w", echo, err)
		}
		seen = append(seen, b[:n]...)
	}
	return nil
}

// leader is a session leader with a helper.
func leader(args []string) int {
	life, hold, err := os.Pipe() // hold is closed when this process ends
	if err != nil {
		say("error %v", err)
		return 1
	}
	defer hold.Close()
	cmd := command("helper", fmt.Sprint(os.Getpid()))
	cmd.Stdin = life
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: args[0] == groupOfOwn}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		say("error %v", err)
		return 1
	}
	var child int
	fmt.Fscanln(out, &child)
	say("started %d", cmd.Process.Pid)
	say("started %d", child)
	return answer()
}

// helper has a child in the process group that it is told.
func helper(args []string) int {
	var group int
	fmt.Sscan(args[0], &group)
	cmd := command("pauser")
	cmd.Stdin = os.Stdin
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pgid: group}
	if err := cmd.Start(); err != nil {
		say("error:%v", err)
		return 1
	}
	say("%d", cmd.Process.Pid)
	cmd.Wait()
	return 0
}
