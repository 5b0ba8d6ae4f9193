package launch

import (
	"strings"
	"syscall"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// StepError returns the error of a step that whoever launches has to do itself,
// and could not.
func StepError(r *Request, step int, errno syscall.Errno) *spawn.Error {
	return stepError(r, step, errno)
}

// stepError returns the error of a step that failed.
func stepError(r *Request, step int, errno syscall.Errno) *spawn.Error {
	e := &spawn.Error{Phase: spawn.PhaseSetup, Errno: errno}
	s := r.Plan.Steps[step]
	e.Op = string(s.Op)
	switch s.Op {
	case spawn.OpExec, spawn.OpExecFD:
		e.Phase, e.Op, e.Path = spawn.PhaseExec, "exec", r.Path
	case spawn.OpChdir, spawn.OpChroot, spawn.OpOpen, spawn.OpFolder:
		e.Path = r.text(s.Args[0])
	case spawn.OpFiles, spawn.OpClone, spawn.OpSetsid, spawn.OpNoNewPrivs:
	default:
		e.Msg = stepText(s)
	}
	// Of an exec a note can say one thing: where a program is that is not there.
	if s.Note != "" && (e.Phase == spawn.PhaseSetup || errno == syscall.ENOENT) {
		e.Msg = shorten(s.Note)
	}
	return e
}

// maxText bounds what an error quotes of a plan: a step may have a megabyte.
const maxText = 200

// stepText returns a step as an error shows it.
func stepText(s spawn.Step) string { return shorten(s.String()) }

// shorten cuts a long text.
func shorten(s string) string {
	if len(s) <= maxText {
		return s
	}
	return strings.ToValidUTF8(s[:maxText], "") + "…"
}
