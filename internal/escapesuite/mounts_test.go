//go:build linux

package escapesuite

import (
	"os"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

func itoa(n int) string { return strconv.Itoa(n) }

// onMounts are the attempts to come by other mounts, and by the host's root.
func onMounts() []attempt {
	rights, eperm := []layer{filterLayer, rightsLayer}, []syscall.Errno{syscall.EPERM}
	secret := func(s *scene) { s.args = []string{s.folder()} }
	ownRoot := func(s *scene) { // with the host's files there is no old root that has them
		secret(s)
		s.opts = append([]string{"profile=empty"}, system()...)
	}
	return []attempt{
		{
			name: "mount-over", what: "mount something over a folder", stops: rights, filtered: true, want: eperm,
			try: func([]string) error { return unix.Mount("tmpfs", "/usr", "tmpfs", 0, "") },
		},
		{
			name: "remount-rw", what: "make a bind writable", stops: rights, filtered: true, want: eperm,
			scene: func(s *scene) {
				s.args = []string{s.bound()}
				s.unchanged(s.args[0] + "/f")
			},
			try: func(args []string) error {
				if err := unix.MountSetattr(unix.AT_FDCWD, args[0], 0, &unix.MountAttr{Attr_clr: unix.MOUNT_ATTR_RDONLY}); err != nil {
					return err
				}
				return steal(args[0] + "/f")
			},
		},
		{
			name: "remount-rw-classic", what: "the same by mount", stops: rights, filtered: true, want: eperm,
			scene: func(s *scene) {
				s.args = []string{s.bound()}
				s.unchanged(s.args[0] + "/f")
			},
			try: func(args []string) error {
				if err := unix.Mount("", args[0], "", unix.MS_REMOUNT|unix.MS_BIND, ""); err != nil {
					return err
				}
				return steal(args[0] + "/f")
			},
		},
		{
			name: "uncover-private-folder", what: "take the private /tmp away, under which the host's is", stops: rights, filtered: true, hostProfile: true, want: eperm, scene: secret,
			try: func(args []string) error {
				if err := unix.Unmount("/tmp", unix.MNT_DETACH); err != nil {
					return err
				}
				return holds(args[0]+"/f", mine)
			},
		},
		{
			name: "back-to-the-old-root", what: "reach the host's root by ..", stops: []layer{oldRootLayer}, hostProfile: true, want: []syscall.Errno{syscall.ENOENT}, scene: ownRoot,
			try: func(args []string) error {
				if err := unix.Chdir("/.."); err != nil {
					return err
				}
				return holds(args[0][1:]+"/f", mine)
			},
		},
		{
			name: "back-to-memory", what: "take /proc away, under which the root of the file system in memory was", stops: append([]layer{oldRootLayer}, rights...), hostProfile: true, filtered: true,
			want: []syscall.Errno{syscall.EPERM, syscall.ENOENT},
			try: func([]string) error {
				if err := unix.Unmount("/proc", unix.MNT_DETACH); err != nil {
					return err
				}
				return unix.Access("/proc/var-tmp", unix.F_OK)
			},
		},
		{
			name: "pivot-back", what: "make an old root the root again", stops: append([]layer{oldRootLayer}, rights...), hostProfile: true, filtered: true, scene: ownRoot,
			want: []syscall.Errno{syscall.EPERM, syscall.ENOENT, syscall.EINVAL},
			try: func(args []string) error {
				if err := unix.Chdir("/.."); err != nil {
					return err
				}
				if err := unix.PivotRoot(".", "."); err != nil {
					return err
				}
				return holds(args[0]+"/f", mine)
			},
		},
		{
			name: "chroot-with-descriptor", what: "leave a chroot by a descriptor of a folder outside of it", stops: append([]layer{pivotLayer}, rights...), hostProfile: true, filtered: true, scene: ownRoot,
			want: []syscall.Errno{syscall.EPERM, syscall.ENOENT},
			try: func(args []string) error {
				root, err := unix.Open("/", unix.O_PATH, 0)
				if err != nil {
					return err
				}
				os.Mkdir("/tmp/deep", 0o700)
				for _, step := range []func() error{
					func() error { return unix.Chroot("/tmp/deep") }, func() error { return unix.Fchdir(root) },
				} {
					if err := step(); err != nil {
						return err
					}
				}
				for range 20 {
					unix.Chdir("..")
				}
				return holds(args[0][1:]+"/f", mine)
			},
		},
		{
			name: "open-by-handle", what: "open a file of the host by its number", needs: rootWith(unix.CAP_DAC_READ_SEARCH), plain: true, filtered: true, stops: rights, want: eperm, scene: handle,
			try: byHandle,
		},
		{
			name: "mknod-device", what: "make a device", needs: rootWith(unix.CAP_MKNOD), plain: true, filtered: true, stops: rights, want: eperm,
			try: func([]string) error {
				dir, err := os.MkdirTemp("", "escape-*")
				if err != nil {
					return err
				}
				defer os.RemoveAll(dir)
				return unix.Mknod(dir+"/null", unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3)))
			},
		},
		{
			name: "setns", what: "enter a namespace", stops: rights, filtered: true, want: eperm,
			try: func([]string) error {
				fd, err := unix.Open("/proc/self/ns/uts", unix.O_RDONLY, 0)
				if err != nil {
					return err
				}
				return unix.Setns(fd, unix.CLONE_NEWUTS)
			},
		},
		{
			name: "nested-user-namespace", what: "become root in a user namespace of one's own, and mount", stops: []layer{filterLayer}, filtered: true, want: eperm,
			try: nested,
		},
		{
			name: "nested-by-clone3", what: "the same by a call whose flags a filter cannot see", stops: []layer{filterLayer}, want: []syscall.Errno{syscall.ENOSYS},
			try: func([]string) error {
				args := struct{ flags, pidfd, child, parent, signal, stack, size, tls uint64 }{flags: unix.CLONE_NEWUSER, signal: uint64(unix.SIGCHLD)}
				pid, _, errno := syscall.RawSyscall(unix.SYS_CLONE3, uintptr(unsafe.Pointer(&args)), unsafe.Sizeof(args), 0)
				if errno != 0 {
					return errno
				}
				if pid == 0 {
					syscall.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
				}
				return nil
			},
		},
		{
			name: "new-file-system", what: "have a file system's driver opened", stops: rights, filtered: true, want: eperm,
			try: func([]string) error {
				_, err := unix.Fsopen("tmpfs", unix.FSOPEN_CLOEXEC)
				return err
			},
		},
		{
			name: "sethostname", what: "change the name of the machine", stops: rights, filtered: true, want: eperm,
			try: func([]string) error { return unix.Sethostname([]byte("stolen")) },
		},
	}
}

// nested makes a user namespace and a mount namespace in a process of its own, and
// mounts there.
func nested([]string) error {
	pid, _, errno := syscall.RawSyscall6(unix.SYS_CLONE, unix.CLONE_NEWUSER|unix.CLONE_NEWNS|uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
	if errno != 0 {
		return errno
	}
	if pid == 0 {
		t := [...]byte{'t', 'm', 'p', 'f', 's', 0}
		at := [...]byte{'/', 't', 'm', 'p', 0}
		_, _, errno := syscall.RawSyscall6(unix.SYS_MOUNT, uintptr(unsafe.Pointer(&t)), uintptr(unsafe.Pointer(&at)), uintptr(unsafe.Pointer(&t)), 0, 0, 0)
		syscall.RawSyscall(unix.SYS_EXIT_GROUP, uintptr(errno), 0, 0)
	}
	return exitErrno(pid)
}

// exitErrno waits for a child of a raw clone, whose exit code is an errno, and returns that;
// nil for 0.
func exitErrno(pid uintptr) error {
	var ws syscall.WaitStatus
	if _, err := syscall.Wait4(int(pid), &ws, 0, nil); err != nil {
		return err
	}
	if ws.ExitStatus() != 0 {
		return syscall.Errno(ws.ExitStatus())
	}
	return nil
}

// handle gives the attempt the handle of a file.
func handle(s *scene) {
	dir := s.folder()
	h, _, err := unix.NameToHandleAt(unix.AT_FDCWD, dir+"/f", 0)
	if err != nil {
		s.Skip(err)
	}
	s.args = []string{itoa(int(h.Type())), string(hexOf(h.Bytes())), "/tmp"}
	if !s.plain {
		s.args[2] = "/"
	}
}

func byHandle(args []string) error {
	kind, _ := strconv.Atoi(args[0])
	mount, err := unix.Open(args[2], unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	fd, err := unix.OpenByHandleAt(mount, unix.NewFileHandle(int32(kind), bytesOf(args[1])), unix.O_RDONLY)
	if err == nil {
		unix.Close(fd)
	}
	return err
}
