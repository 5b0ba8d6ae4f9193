//go:build linux

package escapesuite

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// onMemory are the attempts to come from one folder in memory to another: what the child
// has of its own is one file system, in parts that are mounted here and there.
func onMemory() []attempt {
	return []attempt{
		{
			name: "handle-in-memory", what: "open /dev by its number from /tmp, which can be written", plain: true, stops: []layer{rightsLayer}, want: []syscall.Errno{syscall.EPERM},
			needs: func() string {
				if why := rootWith(unix.CAP_SYS_ADMIN)(); why != "" {
					return why
				}
				return rootWith(unix.CAP_DAC_READ_SEARCH)()
			},
			scene: func(s *scene) {
				s.args = []string{"/tmp", "/dev"}
				s.opts = append(s.opts, "seccomp=off")
				if s.plain {
					s.args = []string{s.folder()}
				}
			},
			try: fromFolderToFolder,
		},
		{
			name: "uncover-in-copy", what: "take the private /tmp away in a copy of the mounts, of a user namespace of one's own", plain: true, hostProfile: true,
			stops: []layer{filterLayer, userLayer}, want: []syscall.Errno{syscall.EINVAL},
			scene: func(s *scene) {
				s.args = []string{"/tmp"}
				s.opts = append(s.opts, "seccomp=off")
				if s.plain {
					s.args = []string{s.folder(), "cover it first"}
				}
			},
			try: uncoverInCopy,
		},
		{
			name: "move-in-memory", what: "move a folder, or a file by a link, from one part to another", plain: true, stops: []layer{privateLayer}, want: []syscall.Errno{syscall.EXDEV},
			scene: func(s *scene) {
				s.args = []string{"/tmp", "/dev/shm"}
				if s.plain {
					s.args = []string{s.folder(), ""}
					s.args[1] = filepath.Dir(s.args[0])
				}
			},
			try: func(args []string) error {
				dir, err := os.MkdirTemp(args[0], "escape-*")
				if err != nil {
					return err
				}
				defer os.RemoveAll(dir)
				to := filepath.Join(args[1], filepath.Base(dir))
				defer os.RemoveAll(to)
				if err := unix.Rename(dir, to); err != nil {
					return err
				}
				return isFolder(to)
			},
		},
		{
			name: "change-sealed-folder", what: "make /dev writable, or make something there", plain: true, needs: root, stops: []layer{readOnlyLayer}, want: []syscall.Errno{syscall.EROFS},
			scene: func(s *scene) {
				s.args = []string{"/dev"}
				if s.plain {
					s.args = []string{s.folder()}
				}
			},
			try: func(args []string) error {
				if err := unix.Chmod(args[0], 0o777); err != nil {
					return err
				}
				return unix.Mkdir(args[0]+"/x", 0o777)
			},
		},
	}
}

// fromFolderToFolder reaches the folder args[1] by its handle from a mount of args[0],
// and makes something there. Without a second folder it makes such a pair, in a mount
// namespace and a file system of its own at args[0].
func fromFolderToFolder(args []string) error {
	if len(args) == 1 {
		var err error
		if args, err = twoFolders(args[0]); err != nil {
			return err
		}
	}
	h, _, err := unix.NameToHandleAt(unix.AT_FDCWD, args[1], 0)
	if err != nil {
		return err
	}
	from, err := unix.Open(args[0], unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	fd, err := unix.OpenByHandleAt(from, h, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return err
	}
	if err := unix.Mkdirat(fd, "x", 0o777); err != nil {
		return err
	}
	return isFolder(args[1] + "/x")
}

// twoFolders makes mounts of two folders of one file system, the second read-only.
func twoFolders(at string) ([]string, error) {
	runtime.LockOSThread()
	a, b := at+"/a", at+"/b"
	for _, step := range []func() error{
		func() error { return unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_FS) },
		func() error { return unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, "") },
		func() error { return unix.Mount("tmpfs", at, "tmpfs", 0, "") },
		func() error { return unix.Mkdir(a, 0o777) },
		func() error { return unix.Mkdir(b, 0o777) },
		func() error { return unix.Mount(a, a, "", unix.MS_BIND, "") },
		func() error { return unix.Mount(b, b, "", unix.MS_BIND, "") },
		func() error { return unix.Mount("", b, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, "") },
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return []string{a, b}, nil
}

// uncoverInCopy takes the mount at args[0] away in namespaces of its own, where it has
// mounted that before if there is another argument.
func uncoverInCopy(args []string) error {
	at, err := unix.BytePtrFromString(args[0])
	if err != nil {
		return err
	}
	t := [...]byte{'t', 'm', 'p', 'f', 's', 0}
	pid, _, errno := syscall.RawSyscall6(unix.SYS_CLONE, unix.CLONE_NEWUSER|unix.CLONE_NEWNS|uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
	if errno != 0 {
		return errno
	}
	if pid == 0 {
		if len(args) > 1 {
			_, _, errno = syscall.RawSyscall6(unix.SYS_MOUNT, uintptr(unsafe.Pointer(&t)), uintptr(unsafe.Pointer(at)), uintptr(unsafe.Pointer(&t)), 0, 0, 0)
		}
		if errno == 0 {
			_, _, errno = syscall.RawSyscall(unix.SYS_UMOUNT2, uintptr(unsafe.Pointer(at)), unix.MNT_DETACH, 0)
		}
		syscall.RawSyscall(unix.SYS_EXIT_GROUP, uintptr(errno), 0, 0)
	}
	return exitErrno(pid)
}

// isFolder returns nil if path is one.
func isFolder(path string) error {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return syscall.ENOTDIR
	}
	return nil
}
