//go:build amd64 || arm64

package probe

import (
	"os"
	"runtime"
	"syscall"

	"github.com/hatchery-spawn/hatchery/internal/launch"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/internal/tinyelf"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// Try executes a plan that has no descriptors of its own, with a program that
// ends at once in place of the plan's, and returns when it has ended. The error
// is a *[spawn.Error] that names the step which failed, or that of something
// this process could not do.
func Try(p *spawn.Plan) error {
	program, err := linux.ProgramMemfd("probe", tinyelf.Exit(0))
	if err != nil {
		return err
	}
	defer syscall.Close(program)
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	steps := append([]spawn.Step(nil), p.Steps...)
	steps[len(steps)-1] = spawn.ExecFD(spawn.FD(0))
	r := &launch.Request{
		Plan: &spawn.Plan{Steps: steps}, FDs: []int{program}, Path: "probe", Args: []string{"probe"}, Dir: "/", Null: int(null.Fd()),
	}
	for i, s := range steps {
		if s.Op != spawn.OpFolder {
			continue
		}
		f, err := folder(s.Args[0].Str)
		if err != nil {
			e := launch.StepError(r, i, 0)
			e.Err = err
			return e
		}
		defer os.Remove(f.Name())
		defer f.Close()
		r.Folders = append(r.Folders, int(f.Fd()))
	}
	return launched(r)
}

// folder makes a folder, which is the keeper's part of a plan.
func folder(parent string) (*os.File, error) {
	dir, err := os.MkdirTemp(parent, "hatchery-probe-*")
	if err != nil {
		return nil, err
	}
	f, err := os.Open(dir)
	if err != nil {
		os.Remove(dir)
		return nil, err
	}
	return f, nil
}

// launched launches r and waits for its end, whatever comes of it.
func launched(r *launch.Request) error {
	runtime.LockOSThread() // a child may be bound to the thread that made it
	defer runtime.UnlockOSThread()
	t, err := launch.NewThread()
	if err != nil {
		return err
	}
	defer t.Close()
	child, err := t.Launch(r)
	t.Done()
	if child.Pidfd >= 0 {
		syscall.Close(child.Pidfd)
	}
	if child.Record > 0 {
		syscall.Close(child.Record)
	}
	for child.Pid > 0 {
		if _, werr := syscall.Wait4(child.Pid, nil, 0, nil); werr != syscall.EINTR {
			break
		}
	}
	return err
}
