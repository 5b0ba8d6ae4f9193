//go:build unix

package hunt

import "syscall"

const (
	contSignal = syscall.SIGCONT
	stopSignal = syscall.SIGSTOP
)

func closeFD(fd int) { syscall.Close(fd) }
