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
// the user or to root and be writable for nobody else. Where path is a link,
// the same holds for what it leads to and for every folder on the way.
func checkPluginFile(path string) error {
	st, err := os.Stat(path)
	if err != nil {
		return &spawn.Error{Phase: spawn.PhaseStart, Op: "plugin", Path: path, Err: err}
	}
	if !st.Mode().IsRegular() {
		return untrusted(path, fmt.Sprintf("mode %v: want an executable regular file", st.Mode()))
	}
	if st.Mode().Perm()&0o111 == 0 {
		return untrusted(path, fmt.Sprintf("mode %#o: not executable: chmod +x %s", st.Mode().Perm(), path))
	}
	if err := checkOwner(path); err != nil {
		return err
	}
	for range maxLinks {
		if err := checkOwner(filepath.Dir(path)); err != nil {
			return err
		}
		target, err := os.Readlink(path)
		if err != nil {
			return nil // no link, or not one any more: it ends here
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(path), target)
		}
		path = target
	}
	return untrusted(path, "too many links")
}

// maxLinks is how many links the kernel follows: path_resolution(7).
const maxLinks = 40

// checkOwner refuses a file or folder that somebody else can write to.
func checkOwner(path string) error {
	st, err := os.Stat(path)
	if err != nil {
		return untrusted(path, err.Error())
	}
	owner, user := st.Sys().(*syscall.Stat_t).Uid, os.Geteuid()
	is := fmt.Sprintf("mode %#o, owner %d: ", st.Mode().Perm(), owner)
	switch {
	case owner != 0 && owner != uint32(user):
		return untrusted(path, is+fmt.Sprintf("it belongs neither to you (%d) nor to root: chown %d %s", user, user, path))
	case st.Mode().Perm()&0o022 != 0:
		return untrusted(path, is+"others can write to it: chmod go-w "+path)
	}
	return nil
}

func untrusted(path, msg string) error {
	return &spawn.Error{Kind: spawn.ErrUntrusted, Phase: spawn.PhaseStart, Path: path, Msg: msg}
}

func sysFD(fd int) int { return fd }
