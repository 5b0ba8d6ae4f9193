//go:build unix

package host

import (
	"os"
	"runtime"
	"syscall"

	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// TakeForeground makes the host's process group the foreground group of its
// controlling terminal, which tty is, also from the background: what a host
// does after a child of Spec.Foreground has ended. Users of Cmd need not: Wait
// does it. The error is ENOTTY when tty is not the controlling terminal. On
// Linux the host is never stopped by it; elsewhere it is errors.ErrUnsupported.
func TakeForeground(tty *os.File) error {
	return control(tty, func(fd int) error { return linux.SetForeground(fd, syscall.Getpgrp()) })
}

// A foreground is a terminal with the host's group in its foreground.
type foreground struct {
	tty   int // a copy, closed by takeBack: the caller's file may be closed by then
	group int // the child's; 0 is one of its own
}

// holdForeground remembers the terminal that a child is about to get. It is nil
// when there is none, or when the host is in the background anyway.
func holdForeground(s *spawn.Spec) *foreground {
	if s.Foreground == nil || s.Validate() != nil || s.Files[*s.Foreground] == nil {
		return nil
	}
	f := &foreground{tty: -1, group: max(s.Group, 0)}
	control(s.Files[*s.Foreground], func(fd int) error {
		if group, err := linux.Foreground(fd); err == nil && group == syscall.Getpgrp() {
			f.tty, _ = linux.DupAbove(fd, 0)
		}
		return nil
	})
	runtime.KeepAlive(s)
	if f.tty < 0 {
		return nil
	}
	return f
}

// takeBack brings the host's group back into the foreground, when it is the
// ended child's that is there, or one that is gone. pid is 0 when there was no
// child.
func (f *foreground) takeBack(pid int) {
	if f == nil || f.tty < 0 {
		return
	}
	group, err := linux.Foreground(f.tty)
	childs := group == pid || group == f.group
	if err == nil && (pid == 0 || childs || syscall.Kill(-group, 0) == syscall.ESRCH) {
		linux.SetForeground(f.tty, syscall.Getpgrp())
	}
	syscall.Close(f.tty)
	f.tty = -1
}
