//go:build linux && (amd64 || arm64)

package launch

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// raise takes over the descriptors of the request. Those that lie among the
// numbers the child will get are copied above them first, so that putting one
// in place never overwrites another. A keeper whose own descriptors lie high
// does this only for plans that name high numbers.
func (b *builder) raise(r *Request) error {
	b.top, b.lastFile = numbers(r)
	top := b.top
	var failed error
	above := func(fd int) int {
		if fd > top || failed != nil {
			return fd
		}
		n, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, top+1)
		if err != nil {
			failed = raiseError(r, err.(syscall.Errno), top)
			return fd
		}
		b.copies = append(b.copies, n)
		return n
	}
	b.fds, b.folders, b.files = b.fds[:0], b.folders[:0], b.files[:0]
	for _, fd := range r.FDs {
		b.fds = append(b.fds, above(fd))
	}
	for _, fd := range r.Folders {
		b.folders = append(b.folders, above(fd))
	}
	for _, f := range r.Files {
		b.files = append(b.files, File{f.Number, above(f.FD)})
	}
	if hasInit(r.Plan) > 0 {
		b.program, b.told, b.record = above(b.program), above(b.told), above(b.record)
	}
	b.self = r.Self
	if uint64(r.Plan.Steps[0].Args[0].Num)&unix.CLONE_NEWPID != 0 && b.self > 0 {
		b.self = above(b.self)
	}
	b.null[0] = above(r.Null)
	b.null[1] = b.null[0]
	if r.NullOut != 0 {
		b.null[1] = above(r.NullOut)
	}
	return failed
}

// numbers returns the highest number that a request hands out to the child, 2 at
// least, and the last step that hands one out.
func numbers(r *Request) (top, lastFile int) {
	top = 2
	for _, f := range r.Files {
		top = max(top, f.Number)
	}
	for i, s := range r.Plan.Steps {
		switch s.Op {
		case spawn.OpDup:
			top = max(top, int(s.Args[1].Num))
			lastFile = i
		case spawn.OpFiles:
			lastFile = i
		}
	}
	return top, lastFile
}

// raiseError tells a table that is full now from numbers that do not fit into
// it at all.
func raiseError(r *Request, errno syscall.Errno, top int) error {
	e := stepError(r, filesStep(r.Plan), errno)
	if errno == syscall.EINVAL {
		e.Errno, e.Msg = syscall.EBADF, fmt.Sprintf("descriptor number %d is beyond the keeper's limit of open files (RLIMIT_NOFILE)", top)
	}
	return e
}

// filesStep returns the index of the step that needs descriptors to be copied.
func filesStep(p *spawn.Plan) int {
	for i, s := range p.Steps {
		if s.Op == spawn.OpFiles || s.Op == spawn.OpDup {
			return i
		}
	}
	return 0
}

// drop gives up what the last launch needed: the descriptors that raise made,
// and all memory but the first chunk.
func (b *builder) drop() {
	clear(b.ptrs)
	b.ptrs = b.ptrs[:0]
	clear(b.chunks[min(1, len(b.chunks)):])
	b.chunks = b.chunks[:min(1, len(b.chunks))]
	b.closeCopies()
}

func (b *builder) closeCopies() {
	for _, fd := range b.copies {
		unix.Close(fd)
	}
	b.copies = b.copies[:0]
}
