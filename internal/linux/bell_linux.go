package linux

import (
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// futex(2), Linux 2.6.22.
const (
	futexWaitPrivate = 128
	futexWakePrivate = 129
)

func (b *Bell) wake() {
	syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&b.state)), futexWakePrivate, 1, 0, 0, 0)
}

func (b *Bell) sleep(limit time.Duration) {
	ts := unix.NsecToTimespec(limit.Nanoseconds())
	syscall.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&b.state)), futexWaitPrivate, bellAwaited, uintptr(unsafe.Pointer(&ts)), 0, 0)
}
