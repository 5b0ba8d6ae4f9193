//go:build unix

package host

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// checkPluginFile refuses a plugin that somebody else could have put there: it
// must be an executable regular file, and it and its folder must belong to
// the user or to root and be writable for nobody else.
func checkPluginFile(path string) error {
	st, err := os.Stat(path)
	if err != nil {
		return &spawn.Error{Phase: spawn.PhaseStart, Op: "plugin", Path: path, Err: err}
	}
	if !st.Mode().IsRegular() || st.Mode().Perm()&0o111 == 0 {
		return untrusted(path, fmt.Sprintf("mode %v: want an executable regular file", st.Mode()))
	}
	for _, p := range []string{path, filepath.Dir(path)} {
		st, err := os.Stat(p)
		if err != nil {
			return untrusted(p, err.Error())
		}
		owner := st.Sys().(*syscall.Stat_t).Uid
		switch {
		case owner != 0 && owner != uint32(os.Getuid()):
			return untrusted(p, fmt.Sprintf("owned by user %d, neither you (%d) nor root: chown it", owner, os.Getuid()))
		case st.Mode().Perm()&0o022 != 0:
			return untrusted(p, fmt.Sprintf("mode %v, writable by others: chmod go-w it", st.Mode().Perm()))
		}
	}
	return nil
}

func untrusted(path, msg string) error {
	return &spawn.Error{Kind: spawn.ErrUntrusted, Phase: spawn.PhaseStart, Path: path, Msg: msg}
}

func sysFD(fd int) int { return fd }
