package linux

import (
	"os"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// BecomeSubreaper makes orphaned descendants of this process its children,
// PR_SET_CHILD_SUBREAPER in prctl(2), Linux 3.4.
func BecomeSubreaper() error {
	return os.NewSyscallError("prctl", unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
}

// GroupOf returns the process group and the session of a process, which may be a
// zombie: until it is reaped it has them. They are 0 when it is gone.
// getpgid(2), getsid(2).
func GroupOf(pid int) (group, session int) {
	group, _ = unix.Getpgid(pid)
	session, _ = unix.Getsid(pid)
	return max(group, 0), max(session, 0)
}

// Ticks returns the time since boot in the unit of Stat.StartTime: a process
// that is born later has a StartTime that is not less.
func Ticks() uint64 {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts) != nil {
		return 0
	}
	const perSecond = 100 // USER_HZ
	return uint64(ts.Sec)*perSecond + uint64(ts.Nsec)/(1e9/perSecond)
}

// SetName sets the name of the calling thread as ps and top show it,
// PR_SET_NAME in prctl(2). Of the main thread it is the name of the process.
func SetName(name string) error {
	b, err := unix.BytePtrFromString(name)
	if err != nil {
		return os.NewSyscallError("prctl", err)
	}
	return os.NewSyscallError("prctl", unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(b)), 0, 0, 0))
}

// CloseInherited closes the descriptors from first on that this program was
// started with. What the Go runtime has opened meanwhile for its poller is
// spared: it is set close-on-exec, as is everything when there is no /proc.
func CloseInherited(first int) error {
	err := CloseOnExecFrom(first)
	eachOpen(first, func(fd int) {
		name, lerr := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd))
		if lerr == nil && !strings.HasPrefix(name, "anon_inode:[event") {
			unix.Close(fd)
		}
	})
	return err
}

// CloseOnExecFrom sets the close-on-exec flag of every descriptor from first
// on: CLOSE_RANGE_CLOEXEC, Linux 5.11; by /proc/self/fd before that.
func CloseOnExecFrom(first int) error {
	if unix.CloseRange(uint(first), ^uint(0), unix.CLOSE_RANGE_CLOEXEC) == nil {
		return nil
	}
	return eachOpen(first, unix.CloseOnExec)
}

// DupAbove copies a descriptor to the lowest free number that is not below
// min. The copy is close-on-exec and the caller's.
func DupAbove(fd, min int) (int, error) {
	n, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, min)
	return n, os.NewSyscallError("fcntl", err)
}

func eachOpen(first int, f func(fd int)) error {
	d, err := os.Open("/proc/self/fd")
	if err != nil {
		return err
	}
	names, err := d.Readdirnames(-1)
	d.Close()
	for _, name := range names {
		if fd, ok := number(name); ok && fd >= first {
			f(fd)
		}
	}
	return err
}

func number(s string) (n int, ok bool) {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, s != ""
}

// Memfd returns an empty file in memory, close-on-exec, which the caller
// closes. memfd_create(2), Linux 3.17.
func Memfd(name string) (int, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_NOEXEC_SEAL)
	if err == unix.EINVAL { // before Linux 6.3
		fd, err = unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	}
	return fd, os.NewSyscallError("memfd_create", err)
}

// OwnFS gives the calling thread a working directory, root and umask of its
// own, which begin as those it had shared. CLONE_FS in unshare(2).
func OwnFS() error { return os.NewSyscallError("unshare", unix.Unshare(unix.CLONE_FS)) }
