package linux

import (
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// TicksPerSecond is the unit of Stat.StartTime: USER_HZ, which is 100 on every
// processor that Go runs on.
const TicksPerSecond = 100

// BootTime returns the time since the system was started, suspension included:
// the clock of Stat.StartTime. CLOCK_BOOTTIME, Linux 2.6.39.
func BootTime() time.Duration {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts) != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}

// ThreadTime returns how long the calling thread has run on a processor. A
// goroutine that compares two of them locks its thread. CLOCK_THREAD_CPUTIME_ID,
// Linux 2.6.12.
func ThreadTime() time.Duration {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts) != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}

// BootID returns what tells this start of the system from every other, or ""
// when /proc does not say.
func BootID() string {
	b, err := ReadProc("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// PidSpace names the namespaces in which a pid and a start time of this process
// have their meaning, or "" when /proc does not say.
func PidSpace() string {
	pid, err1 := os.Readlink("/proc/self/ns/pid")
	clock, err2 := os.Readlink("/proc/self/ns/time") // since Linux 5.6
	if err1 != nil {
		return ""
	}
	if err2 != nil {
		return pid
	}
	return pid + " " + clock
}

// Queued returns how many bytes were sent on a connected Unix socket that the
// peer has not read yet, and how many are there to be read: SIOCOUTQ and
// SIOCINQ in unix(7). They count what the kernel needs to keep them, too.
func Queued(fd int) (out, in int, err error) {
	if out, err = unix.IoctlGetInt(fd, unix.SIOCOUTQ); err != nil {
		return 0, 0, os.NewSyscallError("ioctl", err)
	}
	in, err = unix.IoctlGetInt(fd, unix.SIOCINQ)
	return out, in, os.NewSyscallError("ioctl", err)
}

// Kernel returns the name and release of the system, as uname(2) has it.
func Kernel() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return "Linux"
	}
	return unix.ByteSliceToString(u.Sysname[:]) + " " + unix.ByteSliceToString(u.Release[:])
}
