//go:build linux && (amd64 || arm64)

package launch

import (
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// raise takes over the descriptors of the request. Those that lie among the
// numbers the child will get are copied above them first, so that putting one
// in place never overwrites another. A keeper whose own descriptors lie high
// does this only for plans that name high numbers.
func (b *builder) raise(r *Request) error {
	top := 2
	for _, f := range r.Files {
		top = max(top, f.Number)
	}
	for _, s := range r.Plan.Steps {
		if s.Op == spawn.OpDup {
			top = max(top, int(s.Args[1].Num))
		}
	}
	b.top = top
	var failed error
	above := func(fd int) int {
		if fd > top || failed != nil {
			return fd
		}
		n, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, top+1)
		if err != nil {
			failed = stepError(r, 0, err.(syscall.Errno))
			return fd
		}
		b.copies = append(b.copies, n)
		return n
	}
	b.fds, b.files = b.fds[:0], b.files[:0]
	for _, fd := range r.FDs {
		b.fds = append(b.fds, above(fd))
	}
	for _, f := range r.Files {
		b.files = append(b.files, File{f.Number, above(f.FD)})
	}
	b.null = above(r.Null)
	return failed
}

// dropCopies closes what raise made.
func (b *builder) dropCopies() {
	for _, fd := range b.copies {
		unix.Close(fd)
	}
	b.copies = b.copies[:0]
}
