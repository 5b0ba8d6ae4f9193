package linux

import "golang.org/x/sys/unix"

// OpenMounts opens the table of this process's mounts for MountsChanged. It returns -1
// when that cannot be done; the caller closes what it returns else.
func OpenMounts() int {
	fd, err := unix.Open("/proc/self/mountinfo", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1
	}
	return fd
}

// MountsChanged reports whether a mount has been made, changed or removed since it was
// last asked with this descriptor, or since that was opened. See proc_pid_mountinfo(5).
func MountsChanged(fd int) bool {
	p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLPRI}}
	n, err := unix.Poll(p, 0)
	return err != nil || n > 0
}
