package host

import (
	"context"
	"sync"

	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// StartAll starts many children, as [Host.StartAll] does, and returns when each
// has become its program, and is ready, or failed. They are in the order of cfgs,
// nil for each that could not be started, and as members of the nursery what
// Start makes of them: one that ends with a failure may cancel the nursery while
// others are being started, which fail then.
//
// The error is nil when all have been started, and else a *[BatchError] of
// *[ChildError]. It cancels the nursery only if body returns it.
func (n *Nursery) StartAll(ctx context.Context, cfgs []ChildConfig) ([]*Child, error) {
	children, errs := make([]*Child, len(cfgs)), make([]error, len(cfgs))
	entered := make([]bool, len(cfgs))
	for i := range cfgs {
		children[i], errs[i] = n.newChild(cfgs[i]), n.enter()
		entered[i] = errs[i] == nil
	}
	ctx, cancel := n.within(ctx)
	defer cancel()
	var all sync.WaitGroup
	for i, p := range n.launchAll(ctx, children, errs) {
		switch c := children[i]; {
		case p == nil:
		case c.cfg.Ready == nil:
			c.join(p)
		default:
			all.Go(func() {
				if errs[i] = c.ready(ctx, p); errs[i] == nil {
					c.join(p)
				}
			})
		}
	}
	all.Wait()
	for i, err := range errs {
		if err == nil {
			continue
		}
		if entered[i] {
			n.leave()
		}
		children[i], errs[i] = nil, &ChildError{Name: children[i].Name(), Err: err}
	}
	return children, batchError(errs)
}

// launchAll starts the processes of the children that have no error yet, or
// notes the error of each.
func (n *Nursery) launchAll(ctx context.Context, children []*Child, errs []error) []*Process {
	var keys []registry.SpawnMethodKey
	var specs []spawn.Spec
	var at []int
	for i, c := range children {
		if errs[i] != nil {
			continue // there was no place
		}
		key := c.method()
		if errs[i] = n.keepPlugin(ctx, key); errs[i] != nil {
			continue
		}
		keys, specs, at = append(keys, key), append(specs, c.cfg.Spec), append(at, i)
	}
	started, failed := n.host.startAllBy(ctx, keys, specs)
	procs := make([]*Process, len(children))
	for j, i := range at {
		procs[i], errs[i] = started[j], failed[j]
		if procs[i] != nil {
			procs[i].SetStop(children[i].cfg.Stop)
		}
	}
	return procs
}
