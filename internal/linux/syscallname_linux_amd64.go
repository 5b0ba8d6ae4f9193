package linux

import "golang.org/x/sys/unix"

// oldSyscallName knows the system calls that later processors do not have.
func oldSyscallName(number int) string {
	switch number {
	case unix.SYS_POLL:
		return "poll"
	case unix.SYS_SELECT:
		return "select"
	case unix.SYS_EPOLL_WAIT:
		return "epoll_wait"
	case unix.SYS_PAUSE:
		return "pause"
	case unix.SYS_OPEN:
		return "open"
	case unix.SYS_ACCEPT:
		return "accept"
	case unix.SYS_VFORK:
		return "vfork"
	}
	return ""
}
