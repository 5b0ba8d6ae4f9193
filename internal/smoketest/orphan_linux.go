package smoketest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

	"github.com/hatchery-spawn/hatchery/internal/linux"
)

// What an orphan does when it is sent SIGINT.
const (
	bound   = "bound"   // it leaves that to its owner
	unbound = "unbound" // it leaves that to its owner for as long as there is one
)

// The descriptor on which an orphan sees that its owner has ended.
const ownerFD = 4

// orphanSigint sends SIGINT to two processes whose owner is dead.
func orphanSigint(ctx context.Context, s *stage) (string, error) {
	for _, how := range []string{bound, unbound} {
		ends := how == unbound
		if s.sabotage != "" {
			how = s.sabotage
		}
		ended, err := s.interruptOrphan(ctx, how)
		switch {
		case err != nil:
			return "", err
		case ended && !ends:
			return "", errors.New("the process that leaves SIGINT to its owner ended, whose owner is dead")
		case !ended && ends:
			return "", errors.New("the process that does not leave SIGINT to a dead owner went on")
		}
	}
	return "the handler that leaves SIGINT to the owner was called and the process went on; the one that sees the end of the owner ended it", nil
}

// interruptOrphan makes an orphan, sends it SIGINT, and reports whether that has
// ended it.
func (s *stage) interruptOrphan(ctx context.Context, how string) (ended bool, err error) {
	r, w, err := s.pipe()
	if err != nil {
		return false, err
	}
	owner, err := s.start(func(c *exec.Cmd) { c.ExtraFiles = []*os.File{w} }, "owner", how)
	w.Close()
	if err != nil {
		return false, err
	}
	pid, err := owner.startedPid(ctx)
	if err != nil {
		return false, err
	}
	pidfd, err := s.follow(pid)
	if err != nil {
		return false, err
	}
	at, _ := ctx.Deadline()
	r.SetReadDeadline(at)
	said := bufio.NewReader(r)
	if err := expectLine(said, "up"); err != nil {
		return false, err
	}
	owner.cmd.Process.Kill() // its standard input, which is the orphan's too, stays open
	if _, err := owner.wait(ctx); err != nil {
		return false, err
	}
	if err := expectLine(said, "orphaned"); err != nil {
		return false, err
	}
	if err := linux.PidfdSignal(pidfd, syscall.SIGINT); err != nil {
		return false, err
	}
	line, err := said.ReadString('\n')
	switch {
	case err == io.EOF:
		return true, nil
	case err != nil:
		return false, fmt.Errorf("the orphan did not get SIGINT: %w", err)
	case line != "left to the owner\n":
		return false, fmt.Errorf("the orphan said %q", line)
	}
	return false, nil
}

func expectLine(from *bufio.Reader, want string) error {
	line, err := from.ReadString('\n')
	if err != nil || strings.TrimSpace(line) != want {
		return fmt.Errorf("want %q of the child, got %q, %v", want, line, err)
	}
	return nil
}

// owner is the parent of an orphan to be: it holds the end of its life, a pipe.
func owner(args []string) int {
	r, w, err := os.Pipe()
	if err != nil {
		say("error %v", err)
		return 1
	}
	defer w.Close()
	cmd := command("orphan", args...)
	cmd.Stdin, cmd.ExtraFiles = os.Stdin, []*os.File{os.NewFile(reportFD, "report"), r}
	if err := cmd.Start(); err != nil {
		say("error %v", err)
		return 1
	}
	r.Close()
	say("started %d", cmd.Process.Pid)
	untilEnd()
	cmd.Wait()
	return 0
}

// orphan is a process that handles SIGINT. It ends with the scenario in any case.
func orphan(args []string) int {
	life, report := os.NewFile(ownerFD, "life"), os.NewFile(reportFD, "report")
	interrupts, orphaned, end := make(chan os.Signal, 1), make(chan struct{}), make(chan struct{})
	signal.Notify(interrupts, os.Interrupt)
	go func() { io.Copy(io.Discard, life); close(orphaned) }()
	go func() { untilEnd(); close(end) }()
	fmt.Fprintln(report, "up")
	gone := false
	for {
		select {
		case <-orphaned:
			orphaned, gone = nil, true
			fmt.Fprintln(report, "orphaned")
		case <-interrupts:
			if args[0] == unbound && gone {
				return 130
			}
			fmt.Fprintln(report, "left to the owner")
		case <-end:
			return 0
		}
	}
}
