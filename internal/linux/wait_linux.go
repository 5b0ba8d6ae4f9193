package linux

import (
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A Waiter learns of the ends of this process's children. The zero value is
// ready; one goroutine at a time may use it.
type Waiter struct{ info unix.Siginfo }

// Peek waits until a child of this process has ended and returns its pid. The
// child stays a zombie: its pid is given to nobody else until it is reaped.
// With nohang it does not wait and returns 0 when there is none. The error
// matches ECHILD when there is no child at all. waitid(2).
func (w *Waiter) Peek(nohang bool) (pid int, err error) {
	options := unix.WEXITED | unix.WNOWAIT | unix.WALL
	if nohang {
		options |= unix.WNOHANG
	}
	w.info = unix.Siginfo{}
	for {
		err = unix.Waitid(unix.P_ALL, 0, &w.info, options, nil)
		if err != unix.EINTR {
			break
		}
	}
	if err != nil {
		return 0, os.NewSyscallError("waitid", err)
	}
	return childOf(&w.info), nil
}

// Reap takes the status of a child that has ended. wait4(2).
func (w *Waiter) Reap(pid int) (status syscall.WaitStatus, usage syscall.Rusage, err error) {
	for {
		_, err = syscall.Wait4(pid, &status, unix.WALL, &usage)
		if err != syscall.EINTR {
			return status, usage, os.NewSyscallError("wait4", err)
		}
	}
}

// IsChild reports whether pid is a child of this process that has not been
// reaped. waitid(2).
func IsChild(pid int) bool {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT|unix.WALL, nil)
		if err != unix.EINTR {
			return err == nil
		}
	}
}

// AwaitInput waits until a descriptor can be read, or its other end is closed, or for
// a time. A signal that is caught may make that shorter. ppoll(2).
func AwaitInput(fd int, limit time.Duration) {
	ts := unix.NsecToTimespec(max(limit, 0).Nanoseconds())
	unix.Ppoll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, &ts, nil)
}
