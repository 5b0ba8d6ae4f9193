package host

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// StartPlan starts a child by a plan that the caller has, without any backend:
// one from [spawn.Standard], one that a backend's Plan returned in this
// process, or one that was changed by hand. The Spec fills the holes of the
// plan and brings the descriptors; what the plan does not do about the rest of
// it (its Umask, say) does not happen, and its Options mean nothing.
//
// In everything else it is [Host.Start]: the Spec is checked, a program without
// a slash is looked up, the child gets what the host has now where the plan
// says nothing, ctx bounds the start, and [Process.Method] is empty. A plan
// from [Host.Plan] has the steps for what is inherited already; they are made
// twice then, which does no harm.
//
// The keeper checks the plan as a whole before its first step. What it cannot
// execute is of kind spawn.ErrBadPlan, and no child was made. A plan that is
// not reusable is used up, also by a start that fails: its files are closed.
// Those of a reusable one stay the caller's. The plan is not changed otherwise.
func (h *Host) StartPlan(ctx context.Context, plan *spawn.Plan, spec spawn.Spec) (*Process, error) {
	if plan == nil {
		return nil, &spawn.Error{Kind: spawn.ErrBadPlan, Phase: spawn.PhasePlan, Msg: "there is none"}
	}
	if !plan.Reusable {
		defer plan.CloseFiles()
	}
	for _, f := range plan.Files {
		if f == nil {
			return nil, &spawn.Error{Kind: spawn.ErrBadPlan, Phase: spawn.PhasePlan, Msg: "one of its files is nil: want an open one"}
		}
	}
	leave, err := h.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	given := spec.Env != nil
	if !given {
		spec.Env = plan.Environ(os.Environ())
	}
	bounded, cancel := h.spawnContext(ctx)
	defer cancel()
	defer h.waits.begin(wait{name: waitSpawn, subject: spec.Path, until: until(bounded)}).end()
	bounded, o := h.observeSpawn(bounded, "", spec.Path)
	h.addEnviron(bounded, &spec, given)
	p, err := h.launch(bounded, "", newCachedPlan(plan), &spec)
	if errors.Is(err, spawn.ErrCanceled) && ctx.Err() == nil {
		err = &spawn.Error{Kind: spawn.ErrClosed, Phase: spawn.PhaseStart, Msg: "it was closed while the child was being started"}
	}
	if o != nil {
		h.spawned(bounded, o, p, spec.Path, time.Now(), err)
	}
	return p, err
}
