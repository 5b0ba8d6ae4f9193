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

// minSlice is the shortest turn: there is a start in it, however long that
// takes.
const minSlice = time.Millisecond

// slack is what a run may take beyond its time, besides a quarter: one of a fraction
// of a second, in which everybody has a turn, takes longer on a machine with
// much else to do.
const slack = 10 * time.Second

// Run measures. When ctx ends, or the time is over by far, the result is what
// was measured until then. It waits for what it has started.
func Run(ctx context.Context, cfg Config) *Result {
	b := &bench{Config: cfg, skipped: map[string]string{}}
	b.findWays(ctx)
	readies, end := b.findReadies(ctx)
	defer end()
	b.began = time.Now()
	ctx, cancel := context.WithTimeout(ctx, cfg.Time+cfg.Time/4+slack)
	defer cancel()
	groups, starts := b.groups(), b.starts()
	var direct, sandboxes []*group
	for _, g := range groups {
		if g.sandbox {
			sandboxes = append(sandboxes, g)
		} else {
			direct = append(direct, g)
		}
	}
	ready := share(len(readies))
	whole := float64(cells(groups)) / (1 - share(len(starts)) - ready)
	done := float64(cells(direct)) / whole
	rounds := b.pass(ctx, direct, nil, 0, done)
	b.pass(ctx, nil, timed(readies), done, done+ready)
	if len(sandboxes) > 0 || len(starts) > 0 {
		rounds = min(rounds, b.pass(ctx, sandboxes, starts, done+ready, 1))
	}
	complete := ctx.Err() == nil
	if !complete && b.failing != nil { // as whatever was under way when all was ended
		b.failing.skipped = ""
	}
	r := b.result(groups, starts, readies)
	r.Rounds, r.Complete = rounds, complete
	r.Seconds = time.Since(b.began).Seconds()
	return r
}

// share is the part of the time that is for starts: of the command, or until
// programs are ready.
func share(starts int) float64 {
	if starts == 0 {
		return 0
	}
	return 0.1
}

// A pass is a part of the whole, from 0 to 1, in which groups and starts are
// measured in rounds.
type pass struct {
	*bench
	groups   []*group
	starts   []*start
	from, to float64
}

// pass measures groups and starts, where there are any, and returns the number of
// rounds.
func (b *bench) pass(ctx context.Context, groups []*group, starts []*start, from, to float64) int {
	if len(groups)+len(starts) == 0 {
		return 0
	}
	p := &pass{b, groups, starts, from, to}
	rounds, longest := 0, time.Duration(0)
	end := time.Duration(to * float64(b.Time))
	for begin := time.Now(); rounds < b.Rounds && ctx.Err() == nil && (rounds == 0 || time.Since(b.began)+longest < end+b.Time/8); begin = time.Now() {
		p.round(ctx, rounds)
		if ctx.Err() == nil {
			rounds++
		}
		longest = max(longest, time.Since(begin))
	}
	return rounds
}

// left returns the time for what is left of round n, as far as it depends on
// us: what was overrun in one round, the later ones have less.
func (p *pass) left(n int, part float64) time.Duration {
	left := max(0, time.Duration(p.to*float64(p.Time))-time.Since(p.began))
	return time.Duration(part * float64(left) / float64(p.Rounds-n))
}

// done returns how much of the whole is done in round n, of which part is.
func (p *pass) done(n int, part float64) float64 {
	return p.from + (p.to-p.from)*(float64(n)+part)/float64(p.Rounds)
}

func cells(groups []*group) (n int) {
	for _, g := range groups {
		n += len(g.cells)
	}
	return n
}

// round gives everybody a turn.
func (p *pass) round(ctx context.Context, n int) {
	part := 1.0 // that is not for starts
	if p.starts != nil {
		part = max(0, part-share(len(p.starts))/(p.to-p.from))
	}
	all := max(1, cells(p.groups))
	limit := max(minSlice, p.left(n, part)/time.Duration(all))
	cpu := accountant()
	done := 0
	for _, g := range p.groups {
		leave, err := g.enter()
		if err != nil {
			g.skip(err)
			leave = func() {}
		}
		for i := range g.cells {
			c := g.cells[(i+n)%len(g.cells)]
			p.say(p.done(n, part*float64(done)/float64(all)), g.program.Name+" by "+c.way.method)
			p.turn(ctx, g, c, limit, cpu)
			done++
		}
		leave()
	}
	p.startsRound(ctx, n, part)
}

// turn gives one way its turn.
func (b *bench) turn(ctx context.Context, g *group, c *cell, limit time.Duration, cpu func() usage) {
	if c.skipped != "" || ctx.Err() != nil {
		return
	}
	s, err := c.way.turn(ctx, g.program, g.callers, limit, g.pace, cpu)
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
