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

// coldBit, in the pid of an answer, says that the child was started although its
// plan begins with a handoff, and that the error of the answer is the reason.
const coldBit = 1 << 29

// answerOf returns what the host is told of the last child: of its pid, and of what
// came of it.
func (l *launcher) answerOf(pid int, err error) (int, error) {
	switch {
	case err != nil:
		return pid, err
	case l.cold != nil:
		return pid | coldBit, l.cold
	case l.handed:
		return pid | handedBit, nil
	}
	return pid, nil
}

// read reads what answerOf returned.
func (a *answer) read(pid int, err error) {
	a.pid, a.handed, a.err = pid&^(handedBit|coldBit), pid&handedBit != 0, err
	if pid&coldBit != 0 {
		a.cold, a.err = err, nil
	}
}

// useless reports whether a hand-off has failed as the template is of no use: its
// program does not support it, say, or something that it loads ahead is missing.
// The child may be started instead: of what was to become it nothing is left.
func useless(err error) bool {
	e := spawn.AsError(err)
	return e.Op == handoff && (e.Kind == spawn.ErrProtocol || e.Kind == spawn.ErrTimeout)
}

// handoff is what errors of hand-offs are about.
const handoff = string(spawn.OpHandoff)

// startsCold reports whether a plan is done without its handoff: a keeper that
// ends with its only child has nobody ready.
func (k *keeper) startsCold(t *spawn.Template) bool { return k.detach != nil && !t.Required }
