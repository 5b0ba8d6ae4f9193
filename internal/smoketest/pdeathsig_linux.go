package smoketest

import (
	"context"
	"fmt"
	"os/exec"
	"syscall"
)

// The sabotages of the scenarios about PR_SET_PDEATHSIG.
const (
	threadLives = "thread_lives" // the thread that has started the child does not end
	ownThread   = "own_thread"   // who asks for the child starts it
)

// startTied starts a child that is killed with the thread which this is.
func (s *stage) startTied(ctx context.Context) (*victim, error) {
	v, err := s.start(func(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }, "echoer")
	if err == nil {
		_, err = v.expect(ctx, "up")
	}
	return v, err
}

// pdeathsigThread ends the thread that has started a child, in a process that
// lives on.
func pdeathsigThread(ctx context.Context, s *stage) (string, error) {
	var child *victim
	var err error
	t := newThread()
	t.do(func() { child, err = s.startTied(ctx) })
	if err == nil && s.sabotaged(threadLives) {
		err = child.tell(ctx, "exit 0") // what else would end it
	}
	if s.sabotaged(threadLives) || err != nil {
		defer t.end(ctx)
	} else if err = t.end(ctx); err != nil {
		return "", err
	}
	if err != nil {
		return "", err
	}
	status, err := child.wait(ctx)
	switch {
	case err != nil:
		return "", err
	case !status.Signaled() || status.Signal() != syscall.SIGKILL:
		return "", fmt.Errorf("the child was not killed: it ended with %s", statusText(status))
	}
	return fmt.Sprintf("thread %d ended, and the child that it had started was killed by a SIGKILL that nobody sent; this process lives", t.tid), nil
}

// lockedSpawner has a child started by a thread that lives on, for one that ends.
func lockedSpawner(ctx context.Context, s *stage) (string, error) {
	var child *victim
	var err error
	start := func() { child, err = s.startTied(ctx) }
	spawner, asker := newThread(), newThread()
	defer spawner.end(ctx)
	if s.sabotaged(ownThread) {
		asker.do(start)
	} else {
		asker.do(func() { spawner.do(start) })
	}
	if e := asker.end(ctx); err == nil {
		err = e
	}
	if err != nil {
		return "", err
	}
	if err := child.answers(ctx); err != nil {
		return "", fmt.Errorf("the child is gone: %w", err)
	}
	if err := child.tell(ctx, "exit 7"); err != nil {
		return "", err
	}
	status, err := child.wait(ctx)
	switch {
	case err != nil:
		return "", err
	case status.ExitStatus() != 7:
		return "", fmt.Errorf("the child ended with %s", statusText(status))
	}
	return fmt.Sprintf("thread %d, which had asked for it, ended; the child answered, and exited with the code that it was told", asker.tid), nil
}

func statusText(ws syscall.WaitStatus) string {
	if ws.Signaled() {
		return "signal " + ws.Signal().String()
	}
	return fmt.Sprintf("exit code %d", ws.ExitStatus())
}
