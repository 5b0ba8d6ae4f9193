//go:build unix

package host

import "syscall"

const (
	termSignal = syscall.SIGTERM
	contSignal = syscall.SIGCONT
)

func rawFD(fd uintptr) int { return int(fd) }

// nonblock is for opening what may have become a FIFO since one looked.
const nonblock = syscall.O_NONBLOCK
