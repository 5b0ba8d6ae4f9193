//go:build unix

package spawn

import "syscall"

const stopSignal = syscall.SIGSTOP
