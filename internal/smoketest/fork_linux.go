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
// thread, this one. There it reports taskBegins, and then executes the program, or
// calls child, or, without either, reports taskDone; and exits with 0. It returns
// the id of the child, which is killed when this thread ends.
//
// Up to that point nothing may ask for the runtime: a function that may grow its
// stack may also be stopped where it begins, if that was wanted of this thread at
// the moment of the fork.
//
//go:nosplit
//go:norace
func fork(program *image, child func()) (pid int, err syscall.Errno) {
	begins, done := [1]byte{taskBegins}, [1]byte{taskDone}
	parent, _, _ := syscall.RawSyscall(syscall.SYS_GETPID, 0, 0, 0)
	r, _, errno := syscall.RawSyscall6(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0, 0, 0, 0)
	if errno != 0 || r != 0 {
		return int(r), errno
	}
	syscall.RawSyscall6(syscall.SYS_PRCTL, syscall.PR_SET_PDEATHSIG, uintptr(syscall.SIGKILL), 0, 0, 0, 0)
	if now, _, _ := syscall.RawSyscall(syscall.SYS_GETPPID, 0, 0, 0); now == parent {
		syscall.RawSyscall(syscall.SYS_WRITE, reportFD, uintptr(unsafe.Pointer(&begins)), 1)
		switch {
		case program != nil:
			syscall.RawSyscall(syscall.SYS_EXECVE, uintptr(unsafe.Pointer(program.path)),
				uintptr(unsafe.Pointer(unsafe.SliceData(program.argv))), uintptr(unsafe.Pointer(unsafe.SliceData(program.envv))))
		case child != nil:
			child()
		default:
			syscall.RawSyscall(syscall.SYS_WRITE, reportFD, uintptr(unsafe.Pointer(&done)), 1)
		}
	}
	for {
		syscall.RawSyscall(syscall.SYS_EXIT_GROUP, 0, 0, 0)
	}
}

// report writes a byte to the scenario.
func report(b byte) { syscall.Write(reportFD, []byte{b}) }

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
