package linux

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A Stat is what proc(5) says in /proc/PID/stat, as far as it is needed here.
type Stat struct {
	Comm      string
	State     byte // R, S, D, T, t, Z, X, I
	Parent    int
	Group     int
	Session   int
	StartTime uint64 // clock ticks since boot: with the pid, who a process is
}

// ReadStat reads the Stat of the process pid.
func ReadStat(pid int) (Stat, error) {
	b, err := ReadProc("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return Stat{}, err
	}
	// The name may hold spaces and parentheses: it ends at the last one.
	open, end := bytes.IndexByte(b, '('), bytes.LastIndexByte(b, ')')
	if open < 0 || end < open {
		return Stat{}, os.ErrInvalid
	}
	f := strings.Fields(string(b[end+1:]))
	if len(f) < 20 {
		return Stat{}, os.ErrInvalid
	}
	s := Stat{Comm: string(b[open+1 : end]), State: f[0][0]}
	s.Parent, _ = strconv.Atoi(f[1])
	s.Group, _ = strconv.Atoi(f[2])
	s.Session, _ = strconv.Atoi(f[3])
	s.StartTime, _ = strconv.ParseUint(f[19], 10, 64)
	return s, nil
}

// Children returns the children of the process pid, zombies included, those of
// each of its threads in the order in which they became its children. It is empty
// when the process is gone. Where the kernel has no /proc/PID/task/TID/children
// (CONFIG_PROC_CHILDREN) all of /proc is read, and they are in no order.
func Children(pid int) []int {
	dir := "/proc/" + strconv.Itoa(pid) + "/task/"
	var children []int
	known := false
	for _, tid := range entries(dir) {
		b, err := ReadProc(dir + tid + "/children")
		if err != nil {
			continue
		}
		known = true
		for _, f := range bytes.Fields(b) {
			if n, ok := number(string(f)); ok {
				children = append(children, n)
			}
		}
	}
	if known {
		return children
	}
	if _, err := ReadStat(pid); err != nil {
		return nil // not the kernel but the process has no such file: it is gone
	}
	for _, name := range entries("/proc") {
		n, ok := number(name)
		if !ok {
			continue
		}
		if s, err := ReadStat(n); err == nil && s.Parent == pid {
			children = append(children, n)
		}
	}
	return children
}

// Adopted returns the children that this process has as a subreaper, zombies
// included: the kernel gives orphans to the first thread, so it is quick however
// many children there are. Those that the first thread itself has made are
// among them, and where the kernel has no such list all children are.
func Adopted() []int {
	self := os.Getpid()
	pid := strconv.Itoa(self)
	b, err := ReadProc("/proc/" + pid + "/task/" + pid + "/children")
	if err != nil {
		return Children(self)
	}
	var children []int
	for _, f := range bytes.Fields(b) {
		if n, ok := number(string(f)); ok {
			children = append(children, n)
		}
	}
	return children
}

// Childless reports whether the process pid is known to have no children:
// it has one thread, and that has none. It is quick, and allowed to be wrong
// in one direction: false says nothing.
func Childless(pid int) bool {
	dir := "/proc/" + strconv.Itoa(pid) + "/task"
	var st unix.Stat_t
	// Each thread is a folder, and a link to the one above.
	if unix.Stat(dir, &st) != nil || st.Nlink != 3 {
		return false
	}
	b, err := ReadProc(dir + "/" + strconv.Itoa(pid) + "/children")
	return err == nil && len(b) == 0
}

// ReadProc reads a file of /proc to its end. Unlike os.ReadFile it does not offer the
// descriptor to the runtime's poller, which takes most of the system calls.
func ReadProc(path string) ([]byte, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	b := make([]byte, 0, 1024)
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := unix.Read(fd, b[len(b):cap(b)])
		switch {
		case err == unix.EINTR:
		case err != nil:
			return nil, &os.PathError{Op: "read", Path: path, Err: err}
		case n == 0:
			return b, nil
		default:
			b = b[:len(b)+n]
		}
	}
}

// entries returns the names in a folder, or none.
func entries(dir string) []string {
	d, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer d.Close()
	names, _ := d.Readdirnames(-1)
	return names
}

// ReadAtOnce reads the beginning of the open file fd into b, pread(2), and
// returns how much there was: 0 when it cannot be read. The scheduler is not
// told, so it is for files that answer at once, as most of /proc does.
func ReadAtOnce(fd int, b []byte) int {
	n, _, errno := unix.RawSyscall6(unix.SYS_PREAD64, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), 0, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(n)
}
