package launch

import (
	"syscall"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// stepError returns the error of a step that failed.
func stepError(r *Request, step int, errno syscall.Errno) *spawn.Error {
	e := &spawn.Error{Phase: spawn.PhaseSetup, Errno: errno}
	s := r.Plan.Steps[step]
	e.Op = string(s.Op)
	switch s.Op {
	case spawn.OpExec, spawn.OpExecFD:
		e.Phase, e.Op, e.Path = spawn.PhaseExec, "exec", r.Path
	case spawn.OpChdir, spawn.OpChroot, spawn.OpOpen:
		e.Path = r.text(s.Args[0])
	case spawn.OpFiles, spawn.OpClone, spawn.OpSetsid, spawn.OpNoNewPrivs:
	default:
		e.Msg = s.String()
	}
	return e
}
