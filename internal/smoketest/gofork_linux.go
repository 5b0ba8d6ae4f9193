package smoketest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// The ways in which the fork of a forker may be no fork, or come to nothing.
const (
	byExec   = "exec"    // the child executes this program, and does the task there
	byHanger = "hanger"  // the child is another program, which hangs
	byIdle   = "idle"    // the child is not given the task
	noExec   = "no_exec" // the child that is to execute a program does the task without
)

// forker is a process that does a task, and then forks a child to do it. What
// it says: "alone TIME", "forked PID" or "error TEXT".
func forker(args []string) int {
	name, how := args[0], args[1]
	t := tasks()[name]()
	began := time.Now()
	t.do()
	say("alone %s", time.Since(began).Round(time.Microsecond))
	program, err := imageOf("doer", name)
	if err != nil {
		say("error %v", err)
		return 1
	}
	runtime.GC() // what the task has left to do is done here
	t.settle()
	var pid int
	switch how {
	case byHanger:
		pid, err = startHanger()
	case byExec:
		pid, err = forkErr(fork(&program, nil))
	case byIdle:
		pid, err = forkErr(fork(nil, nil))
	default:
		pid, err = forkErr(fork(nil, func() { t.do(); report(taskDone) }))
	}
	syscall.Close(reportFD)
	t.quiet()
	if err != nil {
		say("error %v", err)
		return 1
	}
	say("forked %d", pid)
	untilEnd()
	syscall.Kill(pid, syscall.SIGKILL) // it has not been waited for: the number is its own
	syscall.Wait4(pid, nil, 0, nil)
	return 0
}

func forkErr(pid int, errno syscall.Errno) (int, error) {
	if errno != 0 {
		return 0, errno
	}
	return pid, nil
}

// doer does a task and ends.
func doer(args []string) int {
	for _, name := range args {
		tasks()[name]().do()
	}
	report(taskDone)
	return 0
}

// hanger begins a task and never comes to its end.
func hanger([]string) int {
	report(taskBegins)
	syscall.Close(reportFD)
	untilEnd()
	return 0
}

func startHanger() (int, error) {
	cmd := command("hanger")
	cmd.Stdin = os.Stdin // ends when this process is told to
	cmd.ExtraFiles = []*os.File{os.NewFile(reportFD, "report")}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	return cmd.Process.Pid, nil
}

// A forked is a child of a forker.
type forked struct {
	pid   int
	alone string   // how long the task took the parent
	pipe  *os.File // on which the child reports
	from  *victim
}

// startForker starts a forker and returns the child that it has forked, which has
// begun.
func (s *stage) startForker(ctx context.Context, role string, args ...string) (*forked, error) {
	r, w, err := s.pipe()
	if err != nil {
		return nil, err
	}
	v, err := s.start(func(c *exec.Cmd) { c.ExtraFiles = []*os.File{w} }, role, args...)
	w.Close()
	if err != nil {
		return nil, err
	}
	f := &forked{pipe: r, from: v}
	if f.alone, err = v.expect(ctx, "alone"); err != nil {
		return nil, err
	}
	text, err := v.expect(ctx, "forked")
	if err != nil {
		return nil, err
	}
	if f.pid, err = strconv.Atoi(text); err != nil {
		return nil, err
	}
	at, _ := ctx.Deadline()
	r.SetReadDeadline(at)
	var b [1]byte
	if _, err := r.Read(b[:]); err != nil || b[0] != taskBegins {
		return nil, fmt.Errorf("the child did not come to its task: %v", err)
	}
	return f, nil
}

// isFork returns an error unless the child has come from its parent by a fork and
// nothing else. Nobody has waited for it, so it is there.
func (f *forked) isFork() error {
	is, err := forkedOnly(f.pid)
	switch {
	case err != nil:
		return err
	case !is:
		return fmt.Errorf("process %d has executed a program: that is no fork without exec", f.pid)
	case !sameProgram(f.pid, f.from.pid()):
		return fmt.Errorf("process %d is another program than its parent", f.pid)
	}
	return nil
}

// attempts is how often a control forks before it says that nothing breaks:
// whether a child hangs may depend on what other threads do at the time.
const attempts = 8

// goFork returns the control that forks a Go program and has the child do a task
// without exec.
func goFork(name string) func(context.Context, *stage) (string, error) {
	return func(ctx context.Context, s *stage) (string, error) {
		for range attempts {
			f, err := s.startForker(ctx, "forker", name, s.sabotage)
			if err != nil {
				return "", err
			}
			if err := f.isFork(); err != nil {
				return "", err
			}
			fate, err := watch(ctx, f.pid, f.pipe)
			if err == nil {
				err = f.isFork()
			}
			if err != nil {
				return "", err
			}
			if !fate.done {
				return fmt.Sprintf("the parent did it in %s; the child has forked, executed nothing, and begun: %s", f.alone, fate.how), nil
			}
			f.from.in.Close() // clear waits for it
		}
		return "", fmt.Errorf("the child did it, in each of %d attempts: has the dead end come alive?", attempts)
	}
}

// forkThenExec is the other half of what the controls do: the child of the same
// fork executes a program, at once.
func forkThenExec(ctx context.Context, s *stage) (string, error) {
	how := byExec
	if s.sabotaged(noExec) {
		how = ""
	}
	f, err := s.startForker(ctx, "forker", "gc", how)
	if err != nil {
		return "", err
	}
	fate, err := watch(ctx, f.pid, f.pipe)
	if err != nil {
		return "", err
	}
	is, err := forkedOnly(f.pid)
	switch {
	case err != nil:
		return "", err
	case !fate.done:
		return "", fmt.Errorf("the child: %s", fate.how)
	case is:
		return "", fmt.Errorf("process %d has not executed a program", f.pid)
	}
	return fmt.Sprintf("the child of the same fork has executed a program, and done there in a new runtime what took the parent %s", f.alone), nil
}
