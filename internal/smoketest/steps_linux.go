package smoketest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/launch"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// missingProgram is the sabotage by which there is no program to execute.
const missingProgram = "missing_program"

// stepList has a Go process make children by lists of system calls.
func stepList(ctx context.Context, s *stage) (string, error) {
	r, w, err := s.pipe()
	if err != nil {
		return "", err
	}
	v, err := s.start(func(c *exec.Cmd) { c.ExtraFiles = []*os.File{w} }, "launcher", s.sabotage)
	w.Close()
	if err != nil {
		return "", err
	}
	at, _ := ctx.Deadline()
	r.SetReadDeadline(at)
	var b [1]byte
	if _, err := r.Read(b[:]); err != nil || b[0] != taskDone {
		said, _ := v.line(ctx)
		return "", fmt.Errorf("the child did not do its task: %v; the process says: %s", err, said)
	}
	var said []string
	for _, word := range []string{"ended", "refused", "held", "free"} {
		text, err := v.expect(ctx, word)
		if err != nil {
			return "", err
		}
		said = append(said, text)
	}
	return fmt.Sprintf("a child did what a forked one cannot; a program that is missing was told as %q; while a child was held up before its exec its parent %s",
		said[1], said[2]), nil
}

// launcher is a process that makes children on a locked thread.
func launcher(args []string) int {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		say("error %v", err)
		return 1
	}
	defer null.Close() // and not before, by a collection
	runtime.LockOSThread()
	t, err := launch.NewThread()
	if err != nil {
		say("error %v", err)
		return 1
	}
	child := command("doer", "gc", "goroutine", "timer")
	request := func() *launch.Request {
		return &launch.Request{
			Plan: &spawn.Plan{Steps: []spawn.Step{spawn.Clone(0), spawn.Files(), spawn.Exec(spawn.HolePath.Arg())}},
			Path: child.Path, Args: child.Args, Env: child.Env, Null: int(null.Fd()),
			Files: []launch.File{{Number: reportFD, FD: reportFD}},
		}
	}
	missing := request()
	missing.Path = "/proc/self/no such program"
	if args[0] == missingProgram {
		child.Path = missing.Path
	}
	if err := launchOne(t, request()); err != nil {
		say("%v", err)
		return 1
	}
	say("ended")
	if err := launchOne(t, missing); err == nil {
		say("a program that is missing was executed")
		return 1
	} else {
		say("refused %v", err)
	}
	child = command("doer", "idle")
	return launchHeld(t, request())
}

// launchOne makes a child and waits for it.
func launchOne(t *launch.Thread, r *launch.Request) error {
	child, err := t.Launch(r)
	t.Done()
	if child.Pidfd >= 0 {
		syscall.Close(child.Pidfd)
	}
	var status syscall.WaitStatus
	if child.Pid > 0 {
		for {
			if _, werr := syscall.Wait4(child.Pid, &status, 0, nil); werr != syscall.EINTR {
				break
			}
		}
	}
	if err == nil && status != 0 {
		return fmt.Errorf("a child ended with %s", statusText(status))
	}
	return err
}

// launchHeld makes a child whose list has a step that waits: it writes to a pipe
// that is full.
func launchHeld(t *launch.Thread, r *launch.Request) int {
	var ends [2]int
	if err := syscall.Pipe2(ends[:], syscall.O_CLOEXEC); err != nil {
		say("error %v", err)
		return 1
	}
	pipe := os.NewFile(uintptr(ends[0]), "pipe")
	defer pipe.Close()
	size, err := pipeSize(pipe)
	if err == nil {
		_, err = syscall.Write(ends[1], make([]byte, size))
	}
	if err != nil {
		say("error %v", err)
		return 1
	}
	r.Plan.InsertBefore(spawn.OpFiles, spawn.Open(spawn.Str(fmt.Sprintf("/proc/self/fd/%d", ends[1])), syscall.O_WRONLY, 0),
		spawn.Write(spawn.Result(1), spawn.Str("x")))
	released := make(chan error, 1)
	go func() { // the thread that launches is held up
		for t.Step() != 2 { // which is no event
			time.Sleep(time.Millisecond)
		}
		runtime.GC()
		time.Sleep(time.Millisecond) // a timer that is set while that thread is held
		say("held collected its memory, and its timers went off")
		_, err := pipe.Read(make([]byte, size))
		released <- err
	}()
	err = launchOne(t, r)
	if err == nil {
		err = <-released
	}
	if err != nil {
		say("%v", err)
		return 1
	}
	say("free")
	untilEnd()
	return 0
}
