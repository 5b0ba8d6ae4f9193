package host

import (
	"context"

	"github.com/hatchery-spawn/hatchery/internal/keeper"
	"github.com/hatchery-spawn/hatchery/registry"
)

// launchHeld has a keeper that is at rest begin with a launch, as if the host had not
// changed since the last one by the same plan, and finds out meanwhile whether it has. To
// find out takes about as long as a keeper needs to wake up. It reports false when
// nothing has come of it, because something has changed or is not known.
func (h *Host) launchHeld(ctx context.Context, l *keeper.Launch, plan *cachedPlan, key registry.SpawnMethodKey) (p *Process, done bool, err error) {
	if !plan.parks && !plan.hands {
		return nil, false, nil // most of the time is the child's own
	}
	k := h.keeping.mayHold(plan.hands) // then two more processes are to be woken
	if k == nil {
		return nil, false, nil
	}
	defer h.keeping.done(k)
	encoded, then := plan.last(&k.base)
	if encoded == nil {
		return nil, false, nil
	}
	l.Plan = encoded
	p = newProcess(h, key)
	p.notes = plan.plan.Notes
	held, err := k.Hold(ctx, l, p.exited)
	if err != nil {
		return nil, false, nil // the error is that of the next try
	}
	now := h.gather.now()
	defer h.awaitKeeper(ctx, l, key).end()
	if now != then || !sameBirth(now, k.host) || ctx.Err() != nil {
		held.Drop(ctx)
		return nil, false, nil
	}
	started, done, err := held.Go(ctx)
	if err != nil {
		return nil, done, err
	}
	p.begin(k.Client, started)
	return p, true, nil
}
