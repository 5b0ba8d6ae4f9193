package linux

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A CPUSet is a set of processors: bit n%64 of word n/64 is processor n.
type CPUSet [16]uint64

// Affinity returns the processors that this process's main thread may run on.
// It is empty when the machine has more than a CPUSet can hold.
// sched_getaffinity(2).
func Affinity() (set CPUSet) {
	_, _, errno := unix.RawSyscall(unix.SYS_SCHED_GETAFFINITY, uintptr(os.Getpid()), unsafe.Sizeof(set), uintptr(unsafe.Pointer(&set)))
	if errno != 0 {
		return CPUSet{}
	}
	return set
}

// IDs are the real, effective and saved id of a process.
type IDs struct{ Real, Effective, Saved uint32 }

// UserIDs returns this process's user ids. getresuid(2).
func UserIDs() (ids IDs) {
	unix.RawSyscall(unix.SYS_GETRESUID, uintptr(unsafe.Pointer(&ids.Real)), uintptr(unsafe.Pointer(&ids.Effective)), uintptr(unsafe.Pointer(&ids.Saved)))
	return ids
}

// GroupIDs returns this process's group ids. getresgid(2).
func GroupIDs() (ids IDs) {
	unix.RawSyscall(unix.SYS_GETRESGID, uintptr(unsafe.Pointer(&ids.Real)), uintptr(unsafe.Pointer(&ids.Effective)), uintptr(unsafe.Pointer(&ids.Saved)))
	return ids
}

// NoNewPrivs reports whether the calling thread has given up gaining rights by
// an exec. PR_GET_NO_NEW_PRIVS in prctl(2), Linux 3.5.
func NoNewPrivs() bool {
	v, _, errno := unix.RawSyscall6(unix.SYS_PRCTL, unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0, 0)
	return errno == 0 && v == 1
}
