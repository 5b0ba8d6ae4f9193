package main

import (
	"context"
	"strconv"
	"time"

	"github.com/hatchery-spawn/hatchery/actor"
	"github.com/hatchery-spawn/hatchery/actor/portal"
)

// program is what the processes of this program can be, beside the root.
func program() actor.Program {
	return actor.Program{Entries: map[string]actor.Entry{"client": {Run: client}}}
}

// client takes numbers from its parent: as many as its first argument says, with a
// pause of the second after each.
func client(ctx context.Context, a *actor.Actor) error {
	want, err := strconv.Atoi(a.Args[0])
	if err != nil {
		return err
	}
	pause, err := time.ParseDuration(a.Args[1])
	if err != nil {
		return err
	}
	p, err := portal.New(ctx, a.Channel(), portal.Config{Actor: a})
	if err != nil {
		return err
	}
	report := Report{Name: a.Name}
	for i, err := range portal.Seq[int](ctx, p, "numbers", 1) {
		if err != nil {
			return err
		}
		report.Sum += i
		if report.Count++; report.Count == want {
			break // which ends the call
		}
		if err := rest(ctx, pause); err != nil {
			return err
		}
	}
	_, err = portal.Call[struct{}](ctx, p, "report", report)
	return err
}

// rest waits, unless ctx ends.
func rest(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return nil
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
