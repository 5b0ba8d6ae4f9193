//go:build unix

package host

import "syscall"

const (
	termSignal = syscall.SIGTERM
	contSignal = syscall.SIGCONT
)

func rawFD(fd uintptr) int { return int(fd) }
