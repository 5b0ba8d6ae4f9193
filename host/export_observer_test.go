package host

import (
	"context"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// ObserveAll does everything that a host does for its observer in the life of a child.
func (h *Host) ObserveAll(ctx context.Context, p *Process, spec *spawn.Spec) {
	ctx, o := h.observeSpawn(ctx, "forkexec", spec.Path)
	_, plan := h.observe(ctx, Operation{Kind: OpPlan, Method: "forkexec", Path: spec.Path})
	if plan != nil {
		observed(plan, nil)
	}
	h.addEnviron(ctx, spec, spec.Env != nil)
	if o != nil {
		panic("somebody wants to know")
	}
	stop := p.observeStop(ctx)
	p.stopped(stop, spawn.ExitStatus{}, nil)
}
