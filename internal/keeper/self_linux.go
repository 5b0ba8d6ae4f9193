package keeper

import (
	"os"
	"path/filepath"
	"strconv"

	"github.com/hatchery-spawn/hatchery/internal/launch"
	"github.com/hatchery-spawn/hatchery/internal/linux"
)

// selfExe is this program, also when its file has been replaced or removed.
const selfExe = linux.OwnProgram

// A child is the keeper's clone until its exec, and what the exec looks up, the program
// and the interpreter that its first line names, may be a link to /proc/self/exe: then
// the child becomes the keeper's program once more. In a sandbox that is a way to change
// the file itself, and with it whatever the user runs next: by /proc/PID/exe, which is on
// a mount of the host's (CVE-2019-5736 of runc). So a keeper is executed by a copy of
// that mount which is read-only, and is mounted nowhere.

// sealedSelf returns a path by which this program is executed as a keeper, and a function
// that the caller calls behind that. Where the copy cannot be had it is the program as it
// is, and the keeper makes no sandboxes: see refuseExposed.
func sealedSelf() (path string, done func()) {
	if !linux.ProgramWritable() || os.Getuid() != 0 && linux.GainsRights(selfExe) { // on such a mount it would not
		return selfExe, func() {}
	}
	f, err := openSealed()
	if err != nil {
		return selfExe, func() {}
	}
	// To give up the copy takes the kernel a while, which nobody is to wait for.
	return "/proc/self/fd/" + strconv.Itoa(int(f.Fd())), func() { go f.Close() }
}

// openExe opens this program, to be executed, for a keeper that is executed by another
// name of it.
func openExe() (*os.File, error) {
	const pathOnly = 0x200000 // O_PATH, on every architecture
	return os.OpenFile(selfExe, pathOnly, 0)
}

// path returns the path by which a child's program is executed. A host that wants its own
// program once more calls it /proc/self/exe: a child that gets that is to find its program
// where the host does, and not by the keeper's name of it.
func (k *keeper) path(n *known, path string) string {
	if path != selfExe || n.sandbox || k.exe < 0 {
		return path
	}
	host := "/proc/self/fd/" + strconv.Itoa(k.exe)
	if name, err := os.Readlink(selfExe); err != nil {
		return path
	} else if is, err := os.Readlink(host); err != nil || is == name {
		return path
	}
	return host
}

// openSealed opens the file of this program by such a copy.
func openSealed() (*os.File, error) {
	name, err := os.Readlink(selfExe)
	if err != nil {
		return nil, err
	}
	f, err := launch.OpenReadOnly(filepath.Dir(name), filepath.Base(name))
	if err != nil {
		return nil, err
	}
	want, err := os.Stat(selfExe)
	if err == nil {
		var is os.FileInfo
		if is, err = f.Stat(); err == nil && !os.SameFile(want, is) {
			err = os.ErrNotExist // there is another one in its place
		}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
