package bench

import (
	"context"
	"sync"
	"time"
)

// A slice is what one method did in its turn of one round.
type slice struct {
	took []time.Duration // for each start, until its end was known; sorted later
	wall time.Duration
	cpu  usage
}

// children returns how many there were.
func (s *slice) children(each int) int { return len(s.took) * each }

// A pace says how a caller starts children. The zero pace is one after the other.
type pace struct {
	pause time.Duration // behind each child
	first int           // children of a turn that are not counted
	least int           // that are at least, and one
}

// turn has callers start children for a time, each at least once. What was begun
// is waited for, unless ctx ends: then it is killed, and not counted.
func (w *way) turn(ctx context.Context, p *Program, callers int, limit time.Duration, pace pace, cpu func() usage) (slice, error) {
	if w.alone {
		callers = 1
	}
	for range pace.first {
		if err := pace.warmUp(ctx, w, p); err != nil {
			return slice{}, err
		}
	}
	all := make([]caller, callers)
	before, begin := cpu(), time.Now()
	end := begin.Add(limit)
	var wg sync.WaitGroup
	for i := range all {
		wg.Go(func() { all[i].loop(ctx, w, p, pace, end) })
	}
	wg.Wait()
	s := slice{wall: time.Since(begin), cpu: cpu().minus(before)}
	for i := range all {
		s.took = append(s.took, all[i].took...)
	}
	for i := range all {
		if all[i].err != nil && ctx.Err() == nil {
			return s, all[i].err
		}
	}
	return s, nil
}

// A caller starts one child after the other.
type caller struct {
	took []time.Duration
	err  error // what ended the loop early

	mu      sync.Mutex
	current running // to be killed when the time is over for good
}

// warmUp starts a child that is not counted.
func (p pace) warmUp(ctx context.Context, w *way, program *Program) error {
	c := caller{}
	stop := context.AfterFunc(ctx, c.kill)
	defer stop()
	err := c.one(ctx, w, program)
	if ctx.Err() != nil {
		return nil
	}
	p.wait(ctx)
	return err
}

// wait is the pause behind a child.
func (p pace) wait(ctx context.Context) {
	if p.pause == 0 {
		return
	}
	timer := time.NewTimer(p.pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func (c *caller) loop(ctx context.Context, w *way, p *Program, pace pace, end time.Time) {
	stop := context.AfterFunc(ctx, c.kill)
	defer stop()
	for ctx.Err() == nil {
		begin := time.Now()
		if len(c.took) > pace.least && !begin.Before(end) {
			return
		}
		if c.err = c.one(ctx, w, p); c.err != nil {
			return
		}
		c.took = append(c.took, time.Since(begin))
		pace.wait(ctx)
	}
}

func (c *caller) one(ctx context.Context, w *way, p *Program) error {
	r, err := w.start(ctx, p)
	if err != nil {
		return err
	}
	c.set(r)
	if ctx.Err() != nil { // perhaps before it was set
		r.kill()
	}
	err = r.wait()
	c.set(nil)
	return err
}

func (c *caller) set(r running) {
	c.mu.Lock()
	c.current = r
	c.mu.Unlock()
}

func (c *caller) kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current != nil {
		c.current.kill()
	}
}
