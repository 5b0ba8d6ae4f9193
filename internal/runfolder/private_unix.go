//go:build unix

package runfolder

import (
	"fmt"
	"os"
	"syscall"
)

// CheckPrivate refuses a folder that others than the user could have made or
// can write to.
func CheckPrivate(dir string, uid int) error {
	st, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	owner := st.Sys().(*syscall.Stat_t).Uid
	if !st.IsDir() || owner != uint32(uid) || st.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s: mode %v, owner %d: want a folder of user %d with mode 0700", dir, st.Mode(), owner, uid)
	}
	return nil
}
