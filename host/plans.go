package host

import (
	"slices"
	"sync"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// plans remembers reusable plans by the shape of the Spec they were made for, and
// others by the command.
type plans struct {
	mu      sync.Mutex
	byShape map[string]*cachedPlan
	kept    map[string][]keptPlan // by shape and command; the newest first
}

// A cachedPlan is a plan as the backend made it, and as it was last sent: with
// the steps for what a child inherits in front.
type cachedPlan struct {
	plan *spawn.Plan
	cwd  bool // it has the hole {cwd}

	parks, hands bool // its child has been begun with, or made, before it is wanted

	mu        sync.Mutex
	base, now inherited // what it was encoded for
	encoded   []byte    // never changed once it is here
}

func newCachedPlan(p *spawn.Plan) *cachedPlan {
	parks := slices.ContainsFunc(p.Steps, func(s spawn.Step) bool { return s.Op == spawn.OpPark })
	return &cachedPlan{plan: p, parks: parks, hands: isHandoff(p), cwd: slices.ContainsFunc(p.Steps, func(s spawn.Step) bool {
		return slices.Contains(s.Args, spawn.HoleCwd.Arg())
	})}
}

// maxPlans bounds what is remembered of one method. A program that has more
// shapes than this asks its backend again.
const maxPlans = 256

func (p *plans) get(shape string) *cachedPlan {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.byShape[shape]
}

func (p *plans) put(shape string, c *cachedPlan) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.byShape) >= maxPlans {
		// Dropped, not closed: a launch may be using the files.
		clear(p.byShape)
	}
	p.byShape[shape] = c
}

// isHandoff reports whether the child of a plan is handed over.
func isHandoff(p *spawn.Plan) bool { return len(p.Steps) > 0 && p.Steps[0].Op == spawn.OpHandoff }

func (p *plans) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.byShape {
		c.plan.CloseFiles()
	}
	clear(p.byShape)
	p.kept = nil
}

// encode returns the plan with what the child has to inherit, encoded. Notes and
// basis are no affair of the keeper's.
func (c *cachedPlan) encode(base, now inherited) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.encoded != nil && c.now == now && c.base == base {
		return c.encoded, nil
	}
	plan := withInherited(c.plan, base, now)
	plan.Notes, plan.Basis = nil, nil
	b, err := plan.AppendBinary(nil)
	if err != nil {
		return nil, err
	}
	c.encoded, c.base, c.now = b, base, now
	return b, nil
}

// last returns what encode returned last, if it was for base: nil if not. It was what
// the host had then.
func (c *cachedPlan) last(base *inherited) (encoded []byte, then inherited) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.encoded == nil || c.base != *base {
		return nil, then
	}
	return c.encoded, c.now
}

// withInherited returns a copy of p with the steps that give the child what
// the host has now and the keeper has not. They come early, where only what
// the Spec says can change it again: before any change of identity, which
// would forbid them, and behind the files, whose numbers may lie above a limit.
func withInherited(p *spawn.Plan, base, now inherited) *spawn.Plan {
	at := inheritAt(p)
	steps := now.steps(base, at)
	out := &spawn.Plan{Reusable: p.Reusable, Basis: p.Basis, Notes: p.Notes, Files: p.Files}
	if len(p.Steps) == 0 || len(steps) == 0 {
		out.Steps = p.Steps
		return out
	}
	for _, s := range p.Steps[:at] { // the clone may refer to a folder behind it
		out.Steps = append(out.Steps, shiftResults(s, at, len(steps)))
	}
	out.Steps = append(out.Steps, steps...)
	for _, s := range p.Steps[at:] {
		out.Steps = append(out.Steps, shiftResults(s, at, len(steps)))
	}
	return out
}

// inheritAt returns the index at which the inherited steps are put.
func inheritAt(p *spawn.Plan) int {
	for i, s := range p.Steps {
		switch s.Op {
		case spawn.OpFiles:
			return i + 1
		case spawn.OpSetresuid, spawn.OpSetresgid, spawn.OpSetgroups, spawn.OpChroot:
			return behindClone(p)
		}
	}
	return behindClone(p)
}

// behindClone returns the index behind the clone, which a handoff may stand before.
func behindClone(p *spawn.Plan) int {
	if len(p.Steps) > 1 && isHandoff(p) {
		return 2
	}
	return min(1, len(p.Steps))
}

// shiftResults returns s with references to the results of steps from the
// index at on moved by n.
func shiftResults(s spawn.Step, at, n int) spawn.Step {
	out := spawn.Step{Op: s.Op, Args: append([]spawn.Arg(nil), s.Args...), Note: s.Note}
	for i := range out.Args {
		if out.Args[i].Kind == spawn.ArgResult && out.Args[i].Num >= int64(at) {
			out.Args[i].Num += int64(n)
		}
	}
	return out
}
