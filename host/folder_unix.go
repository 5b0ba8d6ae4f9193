//go:build unix

package host

import (
	"fmt"
	"os"
	"strconv"
	"syscall"

	"github.com/hatchery-spawn/hatchery/internal/linux"
)

// checkPrivate refuses a folder that others could have made or can write to.
func checkPrivate(dir string) error {
	st, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	owner := st.Sys().(*syscall.Stat_t).Uid
	if !st.IsDir() || owner != uint32(os.Geteuid()) || st.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s: mode %v, owner %d: want a folder of user %d with mode 0700", dir, st.Mode(), owner, os.Geteuid())
	}
	return nil
}

// startTime tells this process from an earlier one of the same pid.
func startTime() string {
	s, err := linux.ReadStat(os.Getpid())
	if err != nil {
		return "0"
	}
	return strconv.FormatUint(s.StartTime, 10)
}
