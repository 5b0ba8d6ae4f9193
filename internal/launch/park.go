package launch

import "github.com/hatchery-spawn/hatchery/spawn"

// ParkStep returns the index of a plan's step park, or 0: a child can be made to come
// to there, by [Thread.Park], before there is anything for it to be. Plans whose steps
// before it are equal can have it.
func ParkStep(p *spawn.Plan) int {
	for i, s := range p.Steps {
		if s.Op == spawn.OpPark {
			return i
		}
	}
	return 0
}

// checkPark refuses a step park before which something depends on the request, or
// behind which something depends on what is before it.
func checkPark(p *spawn.Plan) error {
	at := ParkStep(p)
	if at == 0 {
		return nil
	}
	init := false
	for i, s := range p.Steps {
		switch s.Op {
		case spawn.OpInit:
			init = init || i < at
		case spawn.OpPark:
			if i != at {
				return badPlan(p, i, "there is one before it")
			}
			continue
		case spawn.OpFiles, spawn.OpDup, spawn.OpFolder:
			if i < at {
				return badPlan(p, at, "a step %s comes before it", s.Op)
			}
		}
		for _, a := range s.Args {
			switch {
			case i < at && (a.Kind == spawn.ArgHole || a.Kind == spawn.ArgFD):
				return badPlan(p, at, "step %d, before it, has %s", i, a.String())
			case i > at && a.Kind == spawn.ArgResult && a.Num < int64(at):
				return badPlan(p, i, "it has a result of step %d, before the step park", a.Num)
			}
		}
	}
	if !init {
		return badPlan(p, at, "a step init comes before it")
	}
	return nil
}
