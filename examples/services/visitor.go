package main

import (
	"context"
	"fmt"
	"time"

	"github.com/hatchery-spawn/hatchery/actor"
	"github.com/hatchery-spawn/hatchery/actor/discovery"
	"github.com/hatchery-spawn/hatchery/actor/portal"
)

// visitor visits the store again and again, and says how often anybody has. A visit
// that fails is followed by a look for the store: it may be another one by then.
func visitor(ctx context.Context, a *actor.Actor) error {
	cfg, err := discovery.ConfigOf(a)
	if err != nil {
		return err
	}
	names, err := discovery.NewClient(cfg)
	if err != nil {
		return err
	}
	defer names.Close()
	for ctx.Err() == nil {
		if err := visits(ctx, names, a.Name); err != nil && ctx.Err() == nil {
			fmt.Println("the store is not there:", err)
		}
	}
	return context.Cause(ctx)
}

// visits visits one store until that fails.
func visits(ctx context.Context, names *discovery.Client, who string) error {
	p, err := names.Wait(ctx, "store")
	if err != nil {
		return err
	}
	defer p.Close()
	next := time.NewTicker(200 * time.Millisecond)
	defer next.Stop()
	for {
		n, err := portal.Call[int](ctx, p, "visit", who)
		if err != nil {
			return err
		}
		fmt.Println("visit", n)
		select {
		case <-next.C:
		case <-ctx.Done():
			return nil
		}
	}
}
