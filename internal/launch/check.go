package launch

import (
	"fmt"
	"syscall"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// Check reports what is wrong with a plan, as an error of kind
// spawn.ErrBadPlan that names the step. files is how many descriptors came
// with it. A plan that passes can still fail at run time, but never does
// anything that a step does not say.
func Check(p *spawn.Plan, files int) error {
	if len(p.Steps) < 2 {
		return badPlan(p, -1, "it has %d steps: want at least a clone and an exec", len(p.Steps))
	}
	last := len(p.Steps) - 1
	for i, s := range p.Steps {
		isExec := s.Op == spawn.OpExec || s.Op == spawn.OpExecFD
		switch {
		case (i == 0) != (s.Op == spawn.OpClone):
			return badPlan(p, i, "the first step is the clone, and only the first")
		case (i == last) != isExec:
			return badPlan(p, i, "the last step is the exec, and only the last")
		}
		if err := checkStep(p, i, files); err != nil {
			return err
		}
	}
	if err := checkKeepers(p); err != nil {
		return err
	}
	if err := checkPark(p); err != nil {
		return err
	}
	return checkNamespaces(p)
}

func checkStep(p *spawn.Plan, i, files int) error {
	s := p.Steps[i]
	ps, required, repeat, ok := params(s.Op)
	if !ok {
		return badPlan(p, i, "no such step")
	}
	if len(s.Args) < required || !repeat && len(s.Args) > len(ps) {
		return badPlan(p, i, "it has %d arguments, want %d", len(s.Args), required)
	}
	for n, a := range s.Args {
		want := ps[min(n, len(ps)-1)]
		if kindOf(a)&want == 0 {
			return badPlan(p, i, "argument %d cannot be %s", n+1, shorten(a.String()))
		}
		switch {
		case a.Kind == spawn.ArgFD && (a.Num < 0 || a.Num >= int64(files)):
			return badPlan(p, i, "argument %d: descriptor %d of %d that came with the plan", n+1, a.Num, files)
		case i == 0 && isFolder(p, a):
		case a.Kind == spawn.ArgResult && (a.Num < 0 || a.Num >= int64(i) || !p.Steps[a.Num].Op.HasResult()):
			return badPlan(p, i, "argument %d: step %d is no earlier one with a result", n+1, a.Num)
		}
		for k := range len(a.Str) {
			if a.Str[k] == 0 && want&data == 0 {
				return badPlan(p, i, "argument %d has a NUL byte", n+1)
			}
		}
	}
	return checkRange(p, i)
}

// checkRequest checks a request as a whole.
func checkRequest(r *Request) error {
	if err := r.checkPlan(); err != nil {
		return err
	}
	if err := checkFiles(r); err != nil {
		return err
	}
	return checkFolders(r)
}

func (r *Request) checkPlan() error {
	if r.Checked {
		return nil
	}
	return Check(r.Plan, len(r.FDs))
}

// checkFiles refuses descriptor numbers that no child can have.
func checkFiles(r *Request) error {
	for _, f := range r.Files {
		if f.Number < 0 || f.Number > maxNumber {
			return &spawn.Error{
				Kind: spawn.ErrProtocol, Phase: spawn.PhaseSetup, Op: string(spawn.OpFiles), Errno: syscall.EBADF,
				Msg: fmt.Sprintf("a child's descriptor %d: want 0 to %d", f.Number, maxNumber),
			}
		}
	}
	return nil
}

// checkFolders refuses a plan with folders that nobody has made.
func checkFolders(r *Request) error {
	made := len(r.Folders)
	for i, s := range r.Plan.Steps {
		if s.Op != spawn.OpFolder {
			continue
		}
		if made--; made < 0 {
			return badPlan(r.Plan, i, "there is no folder: a keeper makes it")
		}
	}
	return nil
}

// maxNumber bounds the descriptor numbers that a plan can name.
const maxNumber = 1 << 16

func badPlan(p *spawn.Plan, i int, format string, args ...any) error {
	e := &spawn.Error{Kind: spawn.ErrBadPlan, Phase: spawn.PhasePlan, Msg: fmt.Sprintf(format, args...)}
	if i >= 0 {
		e.Msg = fmt.Sprintf("step %d, %s: %s", i, stepText(p.Steps[i]), e.Msg)
	}
	return e
}
