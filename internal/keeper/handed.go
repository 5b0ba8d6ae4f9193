//go:build unix

package keeper

import "github.com/hatchery-spawn/hatchery/spawn"

// handedBit, in the pid of an answer, says that the child was handed over by a
// process that was ready. No pid has as many bits.
const handedBit = 1 << 30

// splitPlan takes the handoff from the beginning of a plan. It returns nil for a
// plan that has none.
func splitPlan(p *spawn.Plan) (*spawn.Template, error) {
	if len(p.Steps) == 0 || p.Steps[0].Op != spawn.OpHandoff {
		return nil, nil
	}
	t, ok := p.Steps[0].Template()
	if !ok {
		return nil, &spawn.Error{Kind: spawn.ErrBadPlan, Phase: spawn.PhasePlan, Op: string(spawn.OpHandoff), Msg: "step 0: its arguments make no sense"}
	}
	p.Steps = p.Steps[1:]
	for _, s := range p.Steps {
		for i := range s.Args {
			if s.Args[i].Kind == spawn.ArgResult {
				s.Args[i].Num--
			}
		}
	}
	return &t, nil
}

// answerPid returns what the host is told of the last child's pid.
func (l *launcher) answerPid(pid int) int {
	if l.handed {
		return pid | handedBit
	}
	return pid
}

// startsCold reports whether a plan is done without its handoff: a keeper that
// ends with its only child has nobody ready.
func (k *keeper) startsCold(t *spawn.Template) bool { return k.detach != nil && !t.Required }
