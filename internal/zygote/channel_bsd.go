//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package zygote

import "syscall"

// A program here has SIGPIPE ignored for sockets by the Go runtime.
const noSignal, recvFlags = 0, 0

func pair() (fds [2]int, err error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fds, err = syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		closeOnExec(fds[:])
	}
	return fds, err
}

func closeOnExec(fds []int) {
	for _, fd := range fds {
		syscall.CloseOnExec(fd)
	}
}
