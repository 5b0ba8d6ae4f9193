//go:build linux && (amd64 || arm64)

package launch

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// What a child is not handed of 0, 1 and 2 is /dev/null, which this process has open: on
// a mount of the host's, where its owner, root, could change its mode for everybody by
// way of /proc/self/fd. With mounts of its own a child of root's opens the one that is there
// in its place, where mounts are as its plan wants them. If there is none, it is the host's.

// opensNull reports whether a plan's child opens its own /dev/null.
func opensNull(p *spawn.Plan) bool {
	return os.Geteuid() == 0 && OwnMounts(p)
}

// nullCall is no system call: the child tries to open the file whose name is the first
// argument, with the second as flags, as the descriptor that is the third.
const nullCall = ^uintptr(5)

// ownNull emits that for a number, which is open already.
func (b *builder) ownNull(i, number int) {
	flags := unix.O_RDONLY
	if number > 0 {
		flags = unix.O_WRONLY
	}
	b.call(i, nullCall, b.str(os.DevNull), uintptr(flags|unix.O_CLOEXEC), uintptr(number))
}

//go:nosplit
//go:norace
//go:nocheckptr
func tryOpen(path, flags, number uintptr) {
	at := unix.AT_FDCWD
	fd, _, e := syscall.RawSyscall6(unix.SYS_OPENAT, uintptr(at), path, flags, 0, 0, 0)
	if e == 0 {
		syscall.RawSyscall6(unix.SYS_DUP3, fd, number, 0, 0, 0, 0)
		syscall.RawSyscall6(unix.SYS_CLOSE, fd, 0, 0, 0, 0, 0)
	}
}
