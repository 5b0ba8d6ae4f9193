//go:build unix

package host

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// openTrusted opens a file for reading, after checkTrusted, and checks what it
// has opened: that is the file that counts, whatever the name leads to then or
// later.
func openTrusted(path string, want fileUse) (*os.File, error) {
	// Not only what was opened: a device can act when it is opened.
	if err := checkTrusted(path, want); err != nil {
		return nil, err
	}
	// A FIFO that has taken the file's place does not make it wait.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, readError(path, err)
	}
	st, err := f.Stat()
	if err == nil {
		err = checkInfo(path, st, want)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// checkTrusted refuses a file that somebody else could have put there: it must
// be a regular file, and it and its folder must belong to the user or to root
// and be writable for nobody else. Where path is a link, the same holds for
// what it leads to and for the folder of every link on the way.
func checkTrusted(path string, want fileUse) error {
	st, err := os.Stat(path)
	if err != nil {
		return &spawn.Error{Phase: spawn.PhaseStart, Op: "plugin", Path: path, Err: err}
	}
	if err := checkInfo(path, st, want); err != nil {
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

// checkInfo refuses a file by what stat(2) says of it.
func checkInfo(path string, st fs.FileInfo, want fileUse) error {
	if err := checkKind(st, want); err != nil {
		return untrusted(path, err.Error())
	}
	if want == executable && st.Mode().Perm()&0o111 == 0 {
		return untrusted(path, fmt.Sprintf("mode %#o: not executable: chmod +x %s", st.Mode().Perm(), path))
	}
	if want == executable && st.Mode()&(fs.ModeSetuid|fs.ModeSetgid) != 0 {
		return untrusted(path, fmt.Sprintf("mode %v: it would become another user or group, whom this one cannot stop: chmod ug-s %s", st.Mode(), path))
	}
	return checkOwnerInfo(path, st)
}

// checkOwner refuses a file or folder that somebody else can write to.
func checkOwner(path string) error {
	st, err := os.Stat(path)
	if err != nil {
		return untrusted(path, err.Error())
	}
	return checkOwnerInfo(path, st)
}

func checkOwnerInfo(path string, st fs.FileInfo) error {
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

func sysFD(fd int) int { return fd }
