package keeper

import (
	"os"
	"syscall"

	"github.com/hatchery-spawn/hatchery/internal/linux"
)

// shareFS makes the keeper share the host's working directory, umask and
// root: CLONE_FS in clone(2).
func shareFS() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Cloneflags: syscall.CLONE_FS}
}

// wordsFile returns the file that becomes the keeper's standard error. It is
// in memory, so that nobody has to read it while it is written.
func wordsFile() (*os.File, error) {
	fd, err := linux.Memfd(Name)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), Name), nil
}
