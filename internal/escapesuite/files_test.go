//go:build linux

package escapesuite

import (
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// onFiles are the attempts on files of the host that are there to be read.
func onFiles() []attempt {
	readOnly, rofs := []layer{readOnlyLayer}, []syscall.Errno{syscall.EROFS}
	bind := func(s *scene) {
		dir := s.bound()
		s.args = []string{dir}
		s.unchanged(dir + "/f")
	}
	return []attempt{
		{
			name: "write-host-file", what: "write a file below a bind that is to be read", stops: readOnly, scene: bind, want: rofs,
			try: func(args []string) error { return steal(args[0] + "/f") },
		},
		{
			name: "write-by-symlink", what: "the same by a symbolic link in a folder of its own", stops: readOnly, scene: bind, want: rofs,
			try: func(args []string) error {
				if err := os.Symlink(args[0]+"/f", "/tmp/link"); err != nil {
					return err
				}
				return steal("/tmp/link")
			},
		},
		{
			name: "write-by-descriptor", what: "the same by /proc/self/fd of a descriptor to read", stops: readOnly, scene: bind, want: rofs,
			try: func(args []string) error {
				f, err := os.Open(args[0] + "/f")
				if err != nil {
					return err
				}
				return steal("/proc/self/fd/" + itoa(int(f.Fd())))
			},
		},
		{
			name: "write-by-hard-link", what: "the same by a hard link where it may write", plain: true, stops: readOnly, want: []syscall.Errno{syscall.EXDEV},
			scene: func(s *scene) {
				bind(s)
				other := s.args[0] + "/w"
				if err := os.Mkdir(other, 0o777); err != nil {
					s.Fatal(err)
				}
				os.Chmod(other, 0o777)
				s.opts = append(s.opts, "bind="+other+":/tmp/w:rw")
				if !s.plain {
					other = "/tmp/w"
				}
				s.args = append(s.args, other)
			},
			try: func(args []string) error {
				if err := unix.Link(args[0]+"/f", args[1]+"/link"); err != nil {
					return err
				}
				return steal(args[1] + "/link")
			},
		},
		{
			name: "change-host-file", what: "change the mode, the times, the length or the name of a file", stops: readOnly, scene: changes, want: rofs,
			try: func(args []string) error {
				path := args[0] + "/f"
				for _, change := range []func() error{
					func() error { return unix.Chmod(path, 0o604) },
					func() error { return unix.Utimes(path, make([]unix.Timeval, 2)) },
					func() error { return unix.Truncate(path, 0) },
					func() error { return unix.Rename(path, args[0]+"/g") },
					func() error { return unix.Symlink(path, args[0]+"/h") },
					func() error { return unix.Setxattr(args[0]+"/g", "user.x", nil, 0) },
					func() error { return unix.Unlink(args[0] + "/g") },
				} {
					if err := change(); err != nil && err != unix.EOPNOTSUPP {
						return err
					}
				}
				return nil
			},
		},
		{
			name: "change-device", what: "change the mode of /dev/null for everybody", needs: root, plain: true, stops: readOnly, want: []syscall.Errno{syscall.EROFS},
			try: func([]string) error { return unix.Chmod("/dev/null", 0o666) }, // which it has
		},
		{
			name: "read-private-folder", what: "read a file in the host's /tmp", plain: true, stops: []layer{privateLayer}, want: []syscall.Errno{syscall.ENOENT},
			scene: func(s *scene) { s.args = []string{s.folder()} },
			try:   func(args []string) error { return holds(args[0]+"/f", mine) },
		},
		{
			name: "fill-tmp", what: "fill the memory by files", stops: []layer{limitLayer}, want: []syscall.Errno{syscall.ENOSPC, syscall.EACCES},
			scene: func(s *scene) { s.opts = []string{"tmpfs=/tmp/small:1m"} },
			plain: true, try: fill,
		},
		{
			name: "sysctl", what: "write below /proc/sys", needs: root, stops: readOnly, want: append(rofs, syscall.EACCES),
			try: func([]string) error { return opens("/proc/sys/net/ipv4/ip_default_ttl", os.O_WRONLY) },
		},
		{
			name: "core-pattern", what: "open the kernel's core_pattern, which names a program that root runs", needs: root, stops: readOnly, want: append(rofs, syscall.EACCES),
			try: func([]string) error { return opens("/proc/sys/kernel/core_pattern", os.O_WRONLY) },
		},
		{
			name: "any-of-proc-and-sys", what: "find a file in /proc or /sys that can be opened to write", needs: root, stops: readOnly, want: []syscall.Errno{syscall.ENOENT},
			try: func([]string) error { return findWritable("/proc", "/sys") },
		},
		{
			name: "timer-list", what: "read addresses of the kernel", needs: root, stops: []layer{hiddenLayer}, want: []syscall.Errno{syscall.ENODATA, syscall.EACCES},
			try: func([]string) error { return holds("/proc/timer_list", "clock") },
		},
	}
}

// steal writes "stolen" to a file that is there.
func steal(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString(stolen)
	return err
}

// changes is the scene of whatever may happen to a folder.
func changes(s *scene) {
	dir := s.bound()
	s.args = []string{dir}
	look := func() string {
		var st unix.Stat_t
		err := unix.Stat(dir+"/f", &st)
		names, _ := os.ReadDir(dir)
		return word(err) + itoa(int(st.Mode)) + itoa(int(st.Size)) + itoa(int(st.Mtim.Sec)) + itoa(len(names))
	}
	before := look()
	s.harmed = func() bool { return look() != before }
}

// fill writes two megabytes to where a sandbox has one.
func fill([]string) error {
	dir := "/tmp/small"
	if _, err := os.Stat(dir); err != nil {
		if dir, err = os.MkdirTemp("", "escape-*"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	}
	return os.WriteFile(filepath.Join(dir, "big"), make([]byte, 2<<20), 0o600)
}

// findWritable returns nil if there is a file below the folders, but in those of
// processes, that can be opened to be written. It looks until it has found one.
func findWritable(dirs ...string) error {
	found := syscall.ENOENT
	for _, dir := range dirs {
		filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			switch {
			case err != nil:
				return nil
			case d.IsDir() && filepath.Dir(path) == "/proc" && d.Name()[0] >= '0' && d.Name()[0] <= '9':
				return filepath.SkipDir
			case d.Type().IsRegular() && writable(path):
				os.Stderr.WriteString(path + " can be written\n")
				found = 0
				return filepath.SkipAll
			}
			return nil
		})
		if found == 0 {
			return nil
		}
	}
	return found
}

// writable reports whether a file can be opened to be written, and is one still then:
// what is hidden is a device.
func writable(path string) bool {
	f, err := os.OpenFile(path, os.O_WRONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	st, err := f.Stat()
	return err == nil && st.Mode().IsRegular()
}
