package linux

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// PeekExited waits until a child of this process has ended and returns its
// pid. The child stays a zombie: its pid is not given to anyone else until it
// is reaped. With nohang it does not wait and returns 0 when there is none.
// The error matches ECHILD when there is no child at all. waitid(2).
func PeekExited(nohang bool) (pid int, err error) {
	var info unix.Siginfo
	options := unix.WEXITED | unix.WNOWAIT | unix.WALL
	if nohang {
		options |= unix.WNOHANG
	}
	for {
		err = unix.Waitid(unix.P_ALL, 0, &info, options, nil)
		if err != unix.EINTR {
			break
		}
	}
	if err != nil {
		return 0, os.NewSyscallError("waitid", err)
	}
	return childOf(&info), nil
}

// Reap takes the status of a child that has ended. wait4(2).
func Reap(pid int) (syscall.WaitStatus, syscall.Rusage, error) {
	var status syscall.WaitStatus
	var usage syscall.Rusage
	for {
		_, err := syscall.Wait4(pid, &status, unix.WALL, &usage)
		if err != syscall.EINTR {
			return status, usage, os.NewSyscallError("wait4", err)
		}
	}
}
