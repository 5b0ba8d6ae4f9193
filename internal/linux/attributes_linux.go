package linux

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// A CPUSet is a set of processors: bit n%64 of word n/64 is processor n.
type CPUSet [16]uint64

// Affinity returns the processors that the thread tid may run on; of a process
// id it is the main thread's. It is empty when the machine has more than a
// CPUSet can hold. sched_getaffinity(2).
func Affinity(tid int) (set CPUSet) {
	_, _, errno := unix.RawSyscall(unix.SYS_SCHED_GETAFFINITY, uintptr(tid), unsafe.Sizeof(set), uintptr(unsafe.Pointer(&set)))
	if errno != 0 {
		return CPUSet{}
	}
	return set
}

// Nice returns the nice value of the thread tid, -20 to 19; of a process id it
// is the main thread's. getpriority(2).
func Nice(tid int) int {
	// The system call returns 20 minus the value, to tell it from an error.
	v, _, errno := unix.RawSyscall(unix.SYS_GETPRIORITY, unix.PRIO_PROCESS, uintptr(tid), 0)
	if errno != 0 {
		return 0
	}
	return 20 - int(v)
}

// Scheduling is how the kernel schedules a thread: see sched(7). It has no
// nice value.
type Scheduling struct {
	Policy   uint32 // SCHED_OTHER, SCHED_FIFO …
	Flags    uint64 // SCHED_FLAG_RESET_ON_FORK …
	Priority uint32 // of SCHED_FIFO and SCHED_RR
	IO       int    // I/O class and priority, ioprio_get(2)
}

// SchedulingOf returns the Scheduling of the thread tid; of a process id it is
// the main thread's. sched_getattr(2), Linux 3.14; before that it is zero.
func SchedulingOf(tid int) Scheduling {
	var a struct {
		size, policy uint32
		flags        uint64
		nice         int32
		priority     uint32
		deadline     [3]uint64
	}
	unix.RawSyscall6(unix.SYS_SCHED_GETATTR, uintptr(tid), uintptr(unsafe.Pointer(&a)), unsafe.Sizeof(a), 0, 0, 0)
	const whoProcess = 1
	io, _, _ := unix.RawSyscall(unix.SYS_IOPRIO_GET, whoProcess, uintptr(tid), 0)
	return Scheduling{Policy: a.policy, Flags: a.flags, Priority: a.priority, IO: int(io)}
}

// Capabilities are the effective, permitted and inheritable capabilities of a
// thread, capabilities(7), in the kernel's order: those below 32 first.
type Capabilities [2]struct{ Effective, Permitted, Inheritable uint32 }

// CapabilitiesOf returns the Capabilities of the thread tid; of a process id
// they are the main thread's. capget(2).
func CapabilitiesOf(tid int) (c Capabilities) {
	h := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3, Pid: int32(tid)}
	unix.RawSyscall(unix.SYS_CAPGET, uintptr(unsafe.Pointer(&h)), uintptr(unsafe.Pointer(&c)), 0)
	return c
}

// SessionID returns the session of this process. getsid(2).
func SessionID() int {
	sid, _, _ := unix.RawSyscall(unix.SYS_GETSID, 0, 0, 0)
	return int(sid)
}

// maxGroups is how many supplementary groups a GroupSet can hold.
const maxGroups = 64

// A GroupSet is a list of supplementary groups that can be compared with ==.
type GroupSet struct {
	// N is how many there are, or -1 when they are more than the list holds.
	N    int
	List [maxGroups]uint32
}

// Groups returns the supplementary groups of the calling thread. getgroups(2).
func Groups() (s GroupSet) {
	n, _, errno := unix.RawSyscall(unix.SYS_GETGROUPS, maxGroups, uintptr(unsafe.Pointer(&s.List)), 0)
	if errno != 0 {
		return GroupSet{N: -1}
	}
	s.N = int(n)
	return s
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

// SetAffinity says on which processors the thread tid may run: mask has a bit for
// each, the lowest in the first byte. sched_setaffinity(2).
func SetAffinity(tid int, mask []byte) error {
	set := make([]uint64, (len(mask)+7)/8)
	for i, b := range mask {
		set[i/8] |= uint64(b) << (i % 8 * 8)
	}
	if len(set) == 0 {
		return unix.EINVAL
	}
	_, _, errno := unix.RawSyscall(unix.SYS_SCHED_SETAFFINITY, uintptr(tid), uintptr(8*len(set)), uintptr(unsafe.Pointer(&set[0])))
	if errno != 0 {
		return errno
	}
	return nil
}
