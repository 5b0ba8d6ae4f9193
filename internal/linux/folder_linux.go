package linux

import (
	"os"

	"golang.org/x/sys/unix"
)

// OpenFolder opens a folder as a place to name files in: see O_PATH in open(2).
// The descriptor is close-on-exec, the caller's to close.
func OpenFolder(path string) (int, error) {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return fd, nil
}

// MakeFolderAt makes a folder, for its owner to write in and for others to read,
// whatever the umask is, and opens it as OpenFolder does.
func MakeFolderAt(dir int, name string) (int, error) {
	const mode = 0o755
	if err := unix.Mkdirat(dir, name, mode); err != nil {
		return -1, os.NewSyscallError("mkdirat", err)
	}
	err := unix.Fchmodat(dir, name, mode, 0)
	if err == nil {
		var fd int
		if fd, err = unix.Openat(dir, name, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0); err == nil {
			return fd, nil
		}
	}
	unix.Unlinkat(dir, name, unix.AT_REMOVEDIR)
	return -1, os.NewSyscallError("openat", err)
}

// RemoveFolderAt removes the folder that is open as fd and has the given name in
// the one above it. It is EBUSY, for a control group, or ENOTEMPTY as long as it
// is in use.
func RemoveFolderAt(fd int, name string) error {
	above, err := unix.Openat(fd, "..", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("openat", err)
	}
	defer unix.Close(above)
	return os.NewSyscallError("unlinkat", unix.Unlinkat(above, name, unix.AT_REMOVEDIR))
}

// ReadFileAt reads the beginning of a file of a folder into b.
func ReadFileAt(dir int, name string, b []byte) ([]byte, error) {
	fd, err := unix.Openat(dir, name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, os.NewSyscallError("openat", err)
	}
	defer unix.Close(fd)
	n, err := unix.Read(fd, b)
	if err != nil {
		return nil, os.NewSyscallError("read", err)
	}
	return b[:n], nil
}
