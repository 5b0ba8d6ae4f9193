package linux

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// TimerSlack returns how late the kernel may end a sleep of the calling thread.
// PR_GET_TIMERSLACK in prctl(2), Linux 2.6.28.
func TimerSlack() time.Duration {
	n, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, unix.PR_GET_TIMERSLACK, 0, 0)
	if errno != 0 {
		return 0
	}
	return time.Duration(n)
}

// SetTimerSlack sets it, for the calling thread and those that it will create,
// also across an exec. PR_SET_TIMERSLACK in prctl(2).
func SetTimerSlack(d time.Duration) {
	syscall.RawSyscall(syscall.SYS_PRCTL, unix.PR_SET_TIMERSLACK, uintptr(d), 0)
}

// Yield lets whatever else wants to run on this processor do so: sched_yield(2).
func Yield() { syscall.RawSyscall(syscall.SYS_SCHED_YIELD, 0, 0, 0) }
