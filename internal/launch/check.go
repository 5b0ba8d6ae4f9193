package launch

import (
	"fmt"
	"syscall"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// kinds is a set of argument kinds that a parameter accepts.
type kinds uint8

const (
	number kinds = 1 << iota // an integer
	path                     // a path, or the holes {path} and {dir}
	data                     // bytes
	desc                     // an attached descriptor or an earlier result
	argv                     // the hole {argv}
	envp                     // the hole {envp}
)

// params returns the parameters of a step, how many of them are required, and
// whether the last may be repeated.
func params(op spawn.Op) (ps []kinds, required int, repeat, ok bool) {
	fixed := func(ps ...kinds) ([]kinds, int, bool, bool) { return ps, len(ps), false, true }
	switch op {
	case spawn.OpClone:
		return []kinds{number, desc}, 1, false, true
	case spawn.OpSetgroups:
		return []kinds{number}, 0, true, true
	case spawn.OpSetsid, spawn.OpNoNewPrivs, spawn.OpFiles:
		return fixed()
	case spawn.OpSetpgid, spawn.OpTerminal, spawn.OpUmask, spawn.OpPriority,
		spawn.OpSetresgid, spawn.OpSetresuid, spawn.OpPdeathsig, spawn.OpIgnore:
		return fixed(number)
	case spawn.OpForeground:
		return fixed(number, number)
	case spawn.OpLimit:
		return fixed(number, number, number)
	case spawn.OpAffinity:
		return fixed(data)
	case spawn.OpChdir, spawn.OpChroot:
		return fixed(path)
	case spawn.OpFchdir, spawn.OpClose:
		return fixed(desc)
	case spawn.OpOpen:
		return fixed(path, number, number)
	case spawn.OpWrite:
		return fixed(desc, data)
	case spawn.OpDup:
		return fixed(desc, number)
	case spawn.OpExec:
		return fixed(path, argv, envp)
	case spawn.OpExecFD:
		return fixed(desc, argv, envp)
	}
	return nil, 0, false, false
}

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
	return nil
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
		case a.Kind == spawn.ArgResult && (a.Num < 0 || a.Num >= int64(i) || p.Steps[a.Num].Op != spawn.OpOpen):
			return badPlan(p, i, "argument %d: step %d is no earlier open", n+1, a.Num)
		}
		for k := range len(a.Str) {
			if a.Str[k] == 0 && want&path != 0 {
				return badPlan(p, i, "argument %d has a NUL byte", n+1)
			}
		}
	}
	return checkRange(p, i)
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

// checkRange checks the numbers that would be cut or misread by the kernel.
func checkRange(p *spawn.Plan, i int) error {
	s := p.Steps[i]
	num := func(n int) int64 { return s.Args[n].Num }
	in := func(v, lo, hi int64) bool { return lo <= v && v <= hi }
	ok := true
	switch s.Op {
	case spawn.OpPdeathsig, spawn.OpIgnore:
		ok = in(num(0), 1, 64)
	case spawn.OpTerminal:
		ok = in(num(0), 0, maxNumber)
	case spawn.OpForeground:
		ok = in(num(0), 0, maxNumber) && in(num(1), 0, 1<<31-1)
	case spawn.OpDup:
		ok = in(num(1), 0, maxNumber)
	case spawn.OpUmask:
		ok = in(num(0), 0, 0o777)
	case spawn.OpSetpgid:
		ok = in(num(0), 0, 1<<31-1)
	case spawn.OpSetresgid, spawn.OpSetresuid:
		ok = in(num(0), 0, 1<<32-2)
	case spawn.OpSetgroups:
		for n := range s.Args {
			ok = ok && in(num(n), 0, 1<<32-2)
		}
	case spawn.OpClone:
		ok = num(0)&^cloneFlags == 0
	}
	if !ok {
		return badPlan(p, i, "an argument is out of range")
	}
	return nil
}

// maxNumber bounds the descriptor numbers that a plan can name.
const maxNumber = 1 << 16

func kindOf(a spawn.Arg) kinds {
	switch a.Kind {
	case spawn.ArgInt:
		return number
	case spawn.ArgStr:
		return path | data
	case spawn.ArgFD, spawn.ArgResult:
		return desc
	case spawn.ArgHole:
		switch spawn.Hole(a.Num) {
		case spawn.HolePath, spawn.HoleDir:
			return path
		case spawn.HoleArgs:
			return argv
		case spawn.HoleEnv:
			return envp
		}
	}
	return 0
}

func badPlan(p *spawn.Plan, i int, format string, args ...any) error {
	e := &spawn.Error{Kind: spawn.ErrBadPlan, Phase: spawn.PhasePlan, Msg: fmt.Sprintf(format, args...)}
	if i >= 0 {
		e.Msg = fmt.Sprintf("step %d, %s: %s", i, stepText(p.Steps[i]), e.Msg)
	}
	return e
}
