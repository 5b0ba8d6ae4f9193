package main

import (
	"context"
	"fmt"

	"github.com/hatchery-spawn/hatchery/actor"
	"github.com/hatchery-spawn/hatchery/actor/portal"
)

// A Range is what a worker is asked for.
type Range struct{ From, To int }

// program is what the processes of this program can be, beside the root.
func program() actor.Program {
	var s portal.Server
	portal.Handle(&s, "primes", primesIn)
	return actor.Program{Entries: map[string]actor.Entry{"worker": {
		Setup: func(ctx context.Context, a *actor.Actor) ([]string, error) {
			_, err := portal.New(ctx, a.Channel(), portal.Config{Actor: a, Serve: &s})
			return nil, err
		},
		Run: func(ctx context.Context, _ *actor.Actor) error {
			<-ctx.Done() // the calls are served until then
			return context.Cause(ctx)
		},
	}}}
}

// primesIn returns the primes of a range.
func primesIn(ctx context.Context, r Range) ([]int, error) {
	if r.From < 0 || r.To < r.From {
		return nil, fmt.Errorf("no range of numbers: %+v", r)
	}
	var found []int
	for n := max(r.From, 2); n < r.To; n++ {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if prime(n) {
			found = append(found, n)
		}
	}
	return found, nil
}

func prime(n int) bool {
	for d := 2; d*d <= n; d++ {
		if n%d == 0 {
			return false
		}
	}
	return true
}
