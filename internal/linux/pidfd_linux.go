package linux

import (
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// PidfdOpen returns a descriptor for the process pid, close-on-exec; the
// caller closes it. pidfd_open(2), Linux 5.3.
func PidfdOpen(pid int) (int, error) {
	fd, err := unix.PidfdOpen(pid, 0)
	return fd, os.NewSyscallError("pidfd_open", err)
}

// PidfdSignal sends a signal to the process that the descriptor stands for.
// It is ESRCH when the process has been reaped. pidfd_send_signal(2), Linux
// 5.1.
func PidfdSignal(fd int, sig syscall.Signal) error {
	return os.NewSyscallError("pidfd_send_signal", unix.PidfdSendSignal(fd, sig, nil, 0))
}

// PidfdSignalGroup sends a signal to the process group that bears the number of
// the process, which need not be there any more: the descriptor keeps the
// number from meaning another group. It is ESRCH when the group is empty.
// PIDFD_SIGNAL_PROCESS_GROUP in pidfd_send_signal(2), Linux 6.9; EINVAL before.
func PidfdSignalGroup(fd int, sig syscall.Signal) error {
	const processGroup = 1 << 2
	return os.NewSyscallError("pidfd_send_signal", unix.PidfdSendSignal(fd, sig, nil, processGroup))
}

// PollExit waits until the process behind the pidfd has ended, or until the
// descriptor other hangs up. Which of them it was is in the results.
func PollExit(pidfd, other int) (exited, hangup bool, err error) {
	p := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}, {Fd: int32(other)}}
	for {
		if _, err := unix.Poll(p, -1); err != unix.EINTR {
			const gone = unix.POLLHUP | unix.POLLERR | unix.POLLNVAL
			return p[0].Revents != 0, p[1].Revents&gone != 0, os.NewSyscallError("poll", err)
		}
	}
}

// AwaitExit waits for a time until the process behind the pidfd has ended. A signal
// that is caught may make that shorter.
func AwaitExit(pidfd int, limit time.Duration) {
	p := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
	unix.Poll(p, int(limit.Milliseconds()))
}

// Exited reports whether the process behind the pidfd has ended, reaped or
// not.
func Exited(pidfd int) bool {
	p := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
	n, err := unix.Poll(p, 0)
	return err == nil && n == 1
}
