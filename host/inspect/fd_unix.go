//go:build unix

package inspect

import "syscall"

const contSignal = syscall.SIGCONT

func closeFD(fd int) { syscall.Close(fd) }
