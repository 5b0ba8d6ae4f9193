package plan

import (
	"runtime"

	"github.com/hatchery-spawn/hatchery/internal/seccomp"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// filter returns the program of the filter of system calls, empty when there is
// to be none.
func filter(f Filter) (string, error) {
	refuse := seccomp.Errno(1) // EPERM of Linux
	switch f {
	case FilterOff:
		return "", nil
	case FilterKill:
		refuse = seccomp.KillProcess
	}
	program, err := seccomp.Assemble(seccomp.Default(refuse), seccomp.Arch(runtime.GOARCH))
	if err != nil {
		return "", &spawn.Error{Key: Key, Phase: spawn.PhasePlan, Kind: spawn.ErrUnavailable, Op: "seccomp", Err: err,
			Msg: "there is no filter for this architecture; seccomp=off goes without"}
	}
	return program, nil
}
