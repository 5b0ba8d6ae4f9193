//go:build !unix

package hunt

import "syscall"

// Never sent.
const (
	contSignal = syscall.SIGTERM
	stopSignal = syscall.SIGTERM
)

func closeFD(fd int) {}
