//go:build linux

package escapesuite

import (
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// onHanded are the attempts with what the child is handed, or can reach by a name. Some
// work, which the documentation says.
func onHanded() []attempt {
	return []attempt{
		{
			name: "set-user-id-file", what: "make a program in a writable bind that runs as its owner outside", stops: []layer{filterLayer}, filtered: true, want: []syscall.Errno{syscall.EPERM},
			scene: func(s *scene) {
				dir := s.folder()
				s.opts, s.args = append(s.opts, "bind="+dir+":rw"), []string{dir}
				s.harmed = func() bool { return setID(dir) }
			},
			try: func(args []string) error { return makeSetID(args[0]) },
		},
		{
			name: "set-user-id-of-handed", what: "make a file that it was handed to write a program that runs as its owner outside", hostProfile: true,
			stops: []layer{filterLayer}, filtered: true, want: []syscall.Errno{syscall.EPERM},
			scene: func(s *scene) {
				dir := s.folder()
				f, err := os.OpenFile(dir+"/f", os.O_WRONLY, 0)
				if err != nil {
					s.Fatal(err)
				}
				s.Cleanup(func() { f.Close() })
				s.files, s.harmed = []*os.File{f}, func() bool { return setID(dir) }
			},
			try: func([]string) error { return unix.Fchmod(3, 0o4755) },
		},
		{
			name: "change-null-device", what: "change the mode of the host's /dev/null, which stands for what it was not handed", stops: []layer{nullLayer}, plain: true,
			needs: root, want: []syscall.Errno{syscall.EROFS, syscall.EPERM},
			try: func([]string) error { return os.Chmod("/proc/self/fd/0", 0o666) },
		},
		{
			name: "lease-host-file", what: "hold up who opens a file of the user's that it may read", stops: []layer{filterLayer}, filtered: true, want: []syscall.Errno{syscall.EPERM},
			scene: func(s *scene) { s.args = []string{s.bound()} },
			try:   func(args []string) error { return lease(args[0] + "/f") },
		},
		{
			name: "lease-own-filter", what: "the same with a filter that allows everything", stops: []layer{filterLayer}, want: []syscall.Errno{syscall.EPERM},
			scene: func(s *scene) { s.allowAll(); s.args = []string{s.bound()} },
			try:   func(args []string) error { return lease(args[0] + "/f") },
		},
		{
			name: "type-own-filter", what: "type into a terminal for its owner, with such a filter", stops: []layer{filterLayer}, want: []syscall.Errno{syscall.EPERM},
			scene: (*scene).allowAll,
			try:   func([]string) error { return reached(call(unix.SYS_IOCTL, bad, unix.TIOCSTI), syscall.EBADF) },
		},
		{
			name: "set-user-id-program", what: "run a program that becomes another user", needs: root, stops: []layer{nnpLayer, nosuidLayer, userLayer}, scene: another,
			want: []syscall.Errno{syscall.EPERM},
			try: func(args []string) error {
				if _, err := os.Stat(args[0]); err != nil {
					return err
				}
				return runsAs(args[0], anotherUser)
			},
		},
		{
			name: "setns-by-descriptor", what: "enter a namespace of the host by a descriptor that it is handed", needs: root, filtered: true,
			stops: []layer{filterLayer, rightsLayer, userLayer}, want: []syscall.Errno{syscall.EPERM},
			scene: func(s *scene) {
				f, err := os.Open("/proc/self/ns/uts")
				if err != nil {
					s.Fatal(err)
				}
				s.Cleanup(func() { f.Close() })
				s.files = []*os.File{f}
			},
			try: func([]string) error { return unix.Setns(3, unix.CLONE_NEWUTS) },
		},
		{
			name: "reopen-what-is-handed", what: "open a file anew to write that it was handed to read", works: true,
			scene: func(s *scene) {
				dir := s.folder()
				f, err := os.Open(dir + "/f")
				if err != nil {
					s.Fatal(err)
				}
				s.Cleanup(func() { f.Close() })
				s.files = []*os.File{f}
				s.unchanged(dir + "/f")
			},
			try: func([]string) error { return steal("/proc/self/fd/3") },
		},
		{
			name: "socket-by-path", what: "talk to a server of the host whose socket lies in a folder that it sees", works: true,
			scene: func(s *scene) {
				dir := s.bound()
				s.args = []string{dir + "/s"}
				s.listen("unix", s.args[0])
				os.Chmod(s.args[0], 0o777)
			},
			try: func(args []string) error { return dial("unix", args[0]) },
		},
		{
			name: "pipe-by-path", what: "write into a named pipe of the host's in a folder that it sees", works: true,
			scene: func(s *scene) {
				dir := s.bound()
				s.args = []string{dir + "/p"}
				if err := unix.Mkfifo(s.args[0], 0o666); err != nil {
					s.Fatal(err)
				}
				os.Chmod(s.args[0], 0o666)
				f, err := os.OpenFile(s.args[0], os.O_RDWR, 0)
				if err != nil {
					s.Fatal(err)
				}
				s.Cleanup(func() { f.Close() })
			},
			try: func(args []string) error { return opens(args[0], os.O_WRONLY) },
		},
		{
			name: "lock-host-file", what: "hold a lock on a file that it may read", works: true,
			scene: func(s *scene) { s.args = []string{s.bound()} },
			try: func(args []string) error {
				f, err := os.Open(args[0] + "/f")
				if err != nil {
					return err
				}
				defer f.Close()
				return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
			},
		},
	}
}

// lease takes a lease on a file, by which whoever opens it has to wait.
func lease(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_WRLCK)
	return err
}

// setID reports whether there is a file with such a bit in a folder.
func setID(dir string) (found bool) {
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if st, err := os.Lstat(path); err == nil && st.Mode()&(fs.ModeSetuid|fs.ModeSetgid) != 0 {
			found = true
		}
		return nil
	})
	return found
}

// makeSetID tries all ways to make a file with such a bit. It returns nil if one of
// them works, and else what the first says.
func makeSetID(dir string) error {
	path := func(name string) *byte { b, _ := unix.BytePtrFromString(dir + "/" + name); return b }
	open := func(name string, flags int, mode uint32) error {
		fd, err := unix.Open(dir+"/"+name, flags|unix.O_WRONLY, mode)
		if err == nil {
			unix.Close(fd)
		}
		return err
	}
	if err := open("plain", unix.O_CREAT, 0o755); err != nil {
		return err
	}
	how := struct{ flags, mode, resolve uint64 }{unix.O_CREAT | unix.O_WRONLY, 0o4755, 0}
	cwd := unix.AT_FDCWD
	var first error
	for _, way := range []func() error{
		func() error { return unix.Chmod(dir+"/plain", 0o4755) },
		func() error { return unix.Chmod(dir+"/plain", 0o2755) },
		func() error {
			return call(unix.SYS_FCHMODAT2, uintptr(cwd), uintptr(unsafe.Pointer(path("plain"))), 0o6755, 0)
		},
		func() error { return open("created", unix.O_CREAT, 0o4755) },
		func() error { return open("", unix.O_TMPFILE, 0o4755) },
		func() error { return unix.Mknod(dir+"/node", unix.S_IFREG|0o4755, 0) },
		func() error {
			return call(unix.SYS_OPENAT2, uintptr(cwd), uintptr(unsafe.Pointer(path("second"))), uintptr(unsafe.Pointer(&how)), unsafe.Sizeof(how))
		},
	} {
		err := way()
		if first == nil {
			first = err
		}
		if err == nil {
			return nil
		}
	}
	return first
}

// anotherUser is no user of any machine.
const anotherUser = 1_999_999_999

// another makes a program that becomes another user. Where the sandbox leaves it that,
// its capabilities are those of that user.
func another(s *scene) {
	if why := root(); why != "" {
		s.Skip(why)
	}
	dir := s.bound()
	path := dir + "/id"
	program, err := os.ReadFile("/usr/bin/id")
	if err != nil {
		s.Skip(err)
	}
	for _, step := range []func() error{
		func() error { return os.WriteFile(path, program, 0o755) },
		func() error { return os.Chown(path, anotherUser, 0) },
		func() error { return os.Chmod(path, 0o755|fs.ModeSetuid) },
	} {
		if err := step(); err != nil {
			s.Fatal(err)
		}
	}
	s.args = []string{path}
}

// runsAs returns nil if a program like id has that user's id, and EPERM if not.
func runsAs(path string, uid int) error {
	out, err := output(path, "-u")
	switch {
	case err != nil:
		return err
	case out != itoa(uid):
		return syscall.EPERM
	}
	return nil
}

// listen starts a server that takes connections and does nothing with them.
func (s *scene) listen(network, address string) net.Addr {
	l, err := net.Listen(network, address)
	if err != nil {
		s.Fatal(err)
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	s.Cleanup(func() { l.Close(); <-over })
	return l.Addr()
}
