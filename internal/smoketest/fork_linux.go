package smoketest

import (
	"syscall"
	"unsafe"
)

// What a forked child writes to the pipe that is its descriptor reportFD.
const (
	reportFD   = 3
	taskBegins = 'b'
	taskDone   = 'd'
)

// fork is the fork of C: the process goes on twice, the second time with one
// thread, this one. There it calls child, which need not return, and exits with 0.
// It returns the id of the child.
//
// The child is killed when this thread ends, and with it this process.
func fork(child func()) (pid int, err error) {
	parent, _, _ := syscall.RawSyscall(syscall.SYS_GETPID, 0, 0, 0)
	r, _, errno := syscall.RawSyscall6(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0, 0, 0, 0)
	switch {
	case errno != 0:
		return 0, errno
	case r != 0:
		return int(r), nil
	}
	syscall.RawSyscall6(syscall.SYS_PRCTL, syscall.PR_SET_PDEATHSIG, uintptr(syscall.SIGKILL), 0, 0, 0, 0)
	if now, _, _ := syscall.RawSyscall(syscall.SYS_GETPPID, 0, 0, 0); now == parent {
		child()
	}
	for {
		syscall.RawSyscall(syscall.SYS_EXIT_GROUP, 0, 0, 0)
	}
}

// report writes a byte to the scenario by a bare system call, which needs nothing of
// the Go runtime.
func report(b byte) {
	text := [1]byte{b}
	rawWrite(reportFD, &text)
}

func rawWrite(fd int, text *[1]byte) {
	syscall.RawSyscall(syscall.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(text)), 1)
}

// An image is what execve(2) needs, made before the fork.
type image struct {
	path       *byte
	argv, envv []*byte
}

// imageOf returns this program in a role.
func imageOf(role string, args ...string) (image, error) {
	cmd := command(role, args...)
	path, err := syscall.BytePtrFromString(cmd.Path)
	if err != nil {
		return image{}, err
	}
	argv, err := syscall.SlicePtrFromStrings(cmd.Args)
	if err != nil {
		return image{}, err
	}
	envv, err := syscall.SlicePtrFromStrings(cmd.Env)
	return image{path, argv, envv}, err
}

// execute executes the image by a bare system call.
func (i *image) execute() {
	syscall.RawSyscall(syscall.SYS_EXECVE, uintptr(unsafe.Pointer(i.path)), uintptr(unsafe.Pointer(&i.argv[0])), uintptr(unsafe.Pointer(&i.envv[0])))
}
