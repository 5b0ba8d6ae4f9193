package linux

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// childOf returns si_pid of what waitid filled in. The union that holds it
// begins behind three ints, aligned to the word.
func childOf(info *unix.Siginfo) int {
	const offset = (3*4 + unsafe.Alignof(uintptr(0)) - 1) &^ (unsafe.Alignof(uintptr(0)) - 1)
	return int(*(*int32)(unsafe.Add(unsafe.Pointer(info), offset)))
}
