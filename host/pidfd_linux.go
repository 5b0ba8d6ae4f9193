package host

import (
	"os"

	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// Pidfd returns a new descriptor for the child, close-on-exec, which the caller
// closes: see pidfd_open(2). It can be given to another process. The error is
// os.ErrProcessDone when the child has ended, and of kind spawn.ErrUnavailable for one
// that is no local process, or of which the host, having few left, holds none.
func (p *Process) Pidfd() (*os.File, error) {
	var f *os.File
	err := p.locked(func(t target) error {
		local, ok := t.(*localTarget)
		if !ok {
			return noPidfd()
		}
		local.mu.Lock()
		defer local.mu.Unlock()
		switch {
		case local.ended:
			return os.ErrClosed
		case local.pidfd < 0:
			return noPidfd()
		}
		fd, err := linux.DupAbove(local.pidfd, 3)
		if err == nil {
			f = os.NewFile(uintptr(fd), "pidfd")
		}
		return err
	})
	return f, err
}

func noPidfd() error {
	return &spawn.Error{Phase: spawn.PhaseRun, Op: "pidfd", Kind: spawn.ErrUnavailable, Msg: "the host holds none of this child"}
}
