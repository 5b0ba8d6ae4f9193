package linux

import (
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sigaction is the kernel's struct sigaction: its set of signals has 64 bits.
type sigaction struct {
	handler, flags, restorer uintptr
	mask                     uint64
}

// DefaultSignal gives sig its default action behind the back of the Go
// runtime: for SIGCHLD, whose handler would wake a thread for each child that
// ends, only to do nothing. rt_sigaction(2).
func DefaultSignal(sig syscall.Signal) error {
	return setAction(sig, new(sigaction))
}

// Ignored reports whether sig is ignored by this process.
func Ignored(sig syscall.Signal) bool {
	var old sigaction
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), 0, uintptr(unsafe.Pointer(&old)), 8, 0, 0)
	return errno == 0 && old.handler == 1
}

func setAction(sig syscall.Signal, act *sigaction) error {
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(act)), 0, 8, 0, 0)
	if errno != 0 {
		return os.NewSyscallError("rt_sigaction", errno)
	}
	return nil
}
