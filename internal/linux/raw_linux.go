package linux

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The calls in this file do not wait, and do without telling the Go runtime, which
// would wake its monitor for the first of them: in a process that has waited for
// long that is another thread on the processor which everybody waits for.

// Close closes a descriptor of which nobody will say that it could not be closed.
func Close(fd int) { syscall.RawSyscall(syscall.SYS_CLOSE, uintptr(fd), 0, 0) }

// TryRead is read(2) of a descriptor that does not wait.
func TryRead(fd int, b []byte) (n int, err error) {
	r, _, errno := syscall.RawSyscall(syscall.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
	if errno != 0 {
		return 0, errno
	}
	return int(r), nil
}

// CloseRange closes the descriptors from first to last: close_range(2), Linux
// 5.9, or one by one before that.
func CloseRange(first, last int) {
	_, _, errno := syscall.RawSyscall(unix.SYS_CLOSE_RANGE, uintptr(first), uintptr(last), 0)
	for ; errno != 0 && first <= last; first++ {
		Close(first)
	}
}

// Fchdir makes the folder of a descriptor the working directory.
func Fchdir(fd int) error {
	if _, _, errno := syscall.RawSyscall(syscall.SYS_FCHDIR, uintptr(fd), 0, 0); errno != 0 {
		return errno
	}
	return nil
}
