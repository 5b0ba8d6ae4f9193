//go:build linux

package escapesuite

import (
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// limitForks is the scene of a child that may have few processes. Root has no limit of
// them: there the child is another user's.
func limitForks(s *scene) {
	s.spec = func(sp *spawn.Spec) {
		sp.Limits = append(sp.Limits, spawn.Limit{Resource: unix.RLIMIT_NPROC, Soft: 40, Hard: 40})
		if isRoot() {
			asAnother(sp)
			sp.Credential.UID = anotherUser
		}
	}
}

// fork starts processes that wait, and ends them.
func fork([]string) error {
	var all []int
	defer func() {
		for _, pid := range all {
			syscall.Kill(pid, syscall.SIGKILL)
			syscall.Wait4(pid, nil, 0, nil)
		}
	}()
	for range 100 {
		pid, _, errno := syscall.RawSyscall(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0)
		switch {
		case errno != 0:
			return errno
		case pid == 0:
			for {
				syscall.RawSyscall6(unix.SYS_PPOLL, 0, 0, 0, 0, 0, 0)
			}
		}
		all = append(all, int(pid))
	}
	return nil
}
