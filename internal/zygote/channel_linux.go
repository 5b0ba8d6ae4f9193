package zygote

import (
	"syscall"
	"time"
	"unsafe"
)

const (
	noSignal  = syscall.MSG_NOSIGNAL
	recvFlags = syscall.MSG_CMSG_CLOEXEC
)

func pair() ([2]int, error) {
	return syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
}

// closeOnExec does nothing: what was received is already.
func closeOnExec([]int) {}

// Await waits until something can be received, or the channel has ended. It
// reports false when other, unless it is nil, has ended before that, or after
// limit.
func (c *Channel) Await(other *Channel, limit time.Duration) bool {
	type pollFD struct {
		fd              int32
		events, revents int16
	}
	const pollIn = 1
	fds := [2]pollFD{{fd: int32(c.fd), events: pollIn}, {fd: -1}}
	if other != nil {
		fds[1].fd = int32(other.fd)
	}
	ts := syscall.NsecToTimespec(limit.Nanoseconds())
	for {
		_, _, errno := syscall.Syscall6(syscall.SYS_PPOLL, uintptr(unsafe.Pointer(&fds)), uintptr(len(fds)), uintptr(unsafe.Pointer(&ts)), 0, 0, 0)
		if errno != syscall.EINTR {
			return fds[0].revents != 0
		}
	}
}
