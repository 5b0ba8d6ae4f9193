//go:build unix

package wire

import (
	"os"
	"syscall"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// duplicates returns copies of the descriptors that s has open, in their
// order. The caller closes them.
func duplicates(s *spawn.Spec) ([]*os.File, error) {
	var copies []*os.File
	for _, n := range s.OpenFiles() {
		if s.Files[n] == nil {
			closeFiles(copies)
			return nil, syscall.EBADF
		}
		f, err := duplicate(s.Files[n])
		if err != nil {
			closeFiles(copies)
			return nil, err
		}
		copies = append(copies, f)
	}
	return copies, nil
}

func duplicate(f *os.File) (*os.File, error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	fd := -1
	var dupErr error
	err = raw.Control(func(old uintptr) {
		// ForkLock instead of F_DUPFD_CLOEXEC, which package syscall does
		// not have on every system.
		syscall.ForkLock.RLock()
		defer syscall.ForkLock.RUnlock()
		if fd, dupErr = syscall.Dup(int(old)); dupErr == nil {
			syscall.CloseOnExec(fd)
		}
	})
	if err == nil {
		err = os.NewSyscallError("dup", dupErr)
	}
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}
