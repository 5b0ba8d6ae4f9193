//go:build !unix

package host

import "syscall"

const (
	termSignal = syscall.SIGTERM
	contSignal = syscall.Signal(0)
)

func rawFD(fd uintptr) syscall.Handle { return syscall.Handle(fd) }

const nonblock = 0
