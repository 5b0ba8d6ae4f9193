package host

import (
	"sync"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// plans remembers reusable plans by the shape of the Spec they were made for.
type plans struct {
	mu      sync.Mutex
	byShape map[string]*cachedPlan
}

// A cachedPlan is a plan as the backend made it, and as it was last sent: with
// the steps for what a child inherits in front.
type cachedPlan struct {
	plan *spawn.Plan

	mu      sync.Mutex
	for_    inherited
	encoded []byte // never changed once it is here
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

func (p *plans) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.byShape {
		c.plan.CloseFiles()
	}
	clear(p.byShape)
}

// encode returns the plan with what the child has to inherit, encoded.
func (c *cachedPlan) encode(base, now inherited) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.encoded != nil && c.for_ == now {
		return c.encoded, nil
	}
	b, err := withInherited(c.plan, base, now).AppendBinary(nil)
	if err != nil {
		return nil, err
	}
	c.encoded, c.for_ = b, now
	return b, nil
}

// withInherited returns a copy of p with the steps that give the child what
// the host has now and the keeper has not. They come first, where only what
// the Spec says can change it again.
func withInherited(p *spawn.Plan, base, now inherited) *spawn.Plan {
	steps := now.steps(base)
	out := &spawn.Plan{Reusable: p.Reusable, Files: p.Files}
	if len(p.Steps) == 0 || len(steps) == 0 {
		out.Steps = p.Steps
		return out
	}
	out.Steps = append(out.Steps, p.Steps[0])
	out.Steps = append(out.Steps, steps...)
	for _, s := range p.Steps[1:] {
		out.Steps = append(out.Steps, shiftResults(s, len(steps)))
	}
	return out
}

// shiftResults returns s with references to the results of earlier steps
// moved by n.
func shiftResults(s spawn.Step, n int) spawn.Step {
	out := spawn.Step{Op: s.Op, Args: append([]spawn.Arg(nil), s.Args...)}
	for i := range out.Args {
		if out.Args[i].Kind == spawn.ArgResult {
			out.Args[i].Num += int64(n)
		}
	}
	return out
}
