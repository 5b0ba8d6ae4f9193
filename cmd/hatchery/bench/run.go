package bench

import (
	"context"
	"time"
)

// bench is one run.
type bench struct {
	Config
	ways    []*way
	skipped map[string]string // methods that are not measured, and why
	failing *cell             // the one whose last turn failed, until another's is over
	began   time.Time
}

// startsShare is the part of the time that the starts of the command take.
const startsShare = 0.1

// minSlice is the shortest turn: there is a start in it, however long that
// takes.
const minSlice = time.Millisecond

// Run measures. When ctx ends, or the time is over by far, the result is what
// was measured until then. It waits for what it has started.
func Run(ctx context.Context, cfg Config) *Result {
	b := &bench{Config: cfg, skipped: map[string]string{}}
	b.findWays(ctx)
	b.began = time.Now()
	ctx, cancel := context.WithTimeout(ctx, cfg.Time+cfg.Time/4+time.Second)
	defer cancel()
	groups, starts := b.groups(), b.starts()
	rounds, longest := 0, time.Duration(0)
	for begin := time.Now(); rounds < b.Rounds && ctx.Err() == nil && time.Since(b.began)+longest < b.Time+b.Time/8; begin = time.Now() {
		b.round(ctx, groups, rounds)
		b.startsRound(ctx, starts, rounds)
		if ctx.Err() == nil {
			rounds++
		}
		longest = max(longest, time.Since(begin))
	}
	complete := ctx.Err() == nil
	if !complete && b.failing != nil { // as whatever was under way when all was ended
		b.failing.skipped = ""
	}
	r := b.result(groups, starts)
	r.Rounds, r.Complete = rounds, complete
	r.Seconds = time.Since(b.began).Seconds()
	return r
}

// share returns the time for what is left of round n, as far as it depends on
// us: what was overrun in one round, the later ones have less.
func (b *bench) share(n int, part float64) time.Duration {
	left := max(0, b.Time-time.Since(b.began))
	return time.Duration(part * float64(left) / float64(b.Rounds-n))
}

// round gives everybody a turn.
func (b *bench) round(ctx context.Context, groups []*group, n int) {
	cells := 0
	for _, g := range groups {
		cells += len(g.cells)
	}
	share := 1.0
	if b.Hatchery != "" {
		share -= startsShare
	}
	limit := max(minSlice, b.share(n, share)/time.Duration(cells))
	cpu := accountant()
	done := 0
	for _, g := range groups {
		leave, err := g.enter()
		if err != nil {
			g.skip(err)
			leave = func() {}
		}
		for i := range g.cells {
			c := g.cells[(i+n)%len(g.cells)]
			b.say((float64(n)+share*float64(done)/float64(cells))/float64(b.Rounds), g.program.Name+" by "+c.way.method)
			b.turn(ctx, g, c, limit, cpu)
			done++
		}
		leave()
	}
}

// turn gives one way its turn.
func (b *bench) turn(ctx context.Context, g *group, c *cell, limit time.Duration, cpu func() usage) {
	if c.skipped != "" || ctx.Err() != nil {
		return
	}
	s, err := c.way.turn(ctx, g.program, g.callers, limit, cpu)
	b.failing = nil
	if err != nil {
		c.skipped, b.failing = why(err), c
		return
	}
	if ctx.Err() == nil {
		c.slices = append(c.slices, s)
	}
}

func (g *group) skip(err error) {
	for _, c := range g.cells {
		c.skipped = why(err)
	}
}

// say tells of the progress.
func (b *bench) say(done float64, next string) {
	if b.Progress != nil {
		b.Progress(done, next)
	}
}
