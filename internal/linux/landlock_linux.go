package linux

import (
	"os"

	"golang.org/x/sys/unix"
)

// LandlockABI returns the number of the kernel's Landlock, 1 or more:
// landlock_create_ruleset(2), Linux 5.13. Where there is none it fails with
// ENOSYS, or with EOPNOTSUPP when the kernel was started without it.
func LandlockABI() (int, error) {
	n, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return 0, os.NewSyscallError("landlock_create_ruleset", errno)
	}
	return int(n), nil
}
