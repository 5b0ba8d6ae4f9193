package host

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A teardown stops children as Process.stop does each, all at once.
type teardown struct {
	// end is by when a child is given up.
	end func(StopOptions) time.Time

	// failed is told of those that were, from several goroutines.
	failed func(*Process, error)

	// whole says that everything below the host ends afterwards: nobody has to
	// know who was below which child.
	whole bool
}

// stop returns when every child has ended or has been given up.
//
// Most children are asked by a signal and nothing else. Those are signalled in
// the order of their births, because in this order the kernel looks for zombies
// among the keeper's children: in any other it passes all the living each time.
// And it is the caller who waits for them: a goroutine for each of a thousand
// takes longer than the end of a small program.
func (t *teardown) stop(ctx context.Context, procs []*Process) {
	slices.SortFunc(procs, func(a, b *Process) int { return a.pid - b.pid })
	var wg sync.WaitGroup
	defer wg.Wait()
	finish := func(p *Process, f func() error) {
		wg.Go(func() {
			if err := f(); err != nil {
				t.failed(p, err)
			}
		})
	}
	childless := linux.Childless
	if !t.whole { // else it does not matter
		childless = lookAtAll(procs)
	}
	var asked []askedChild
	reached := true // the keeper answers
	for _, p := range procs {
		o := p.stopOptions()
		o.KeepOrphans = o.KeepOrphans || t.whole
		end := t.end(o)
		over, quickly := p.askQuickly(o, childless)
		if reached && over != nil && !quickly {
			quickly, reached = p.askByKeeper(o)
		}
		switch {
		case quickly:
			asked = append(asked, askedChild{p, o, over, time.Now().Add(o.Grace), end, p.observeStop(ctx)})
		case over == nil:
			finish(p, func() error { _, err := p.stop(ctx, o, end); return err })
		default:
			obs := p.observeStop(ctx)
			finish(p, func() error {
				status, err := p.askAndStop(ctx, o, over, end)
				p.stopped(obs, status, err)
				return err
			})
		}
	}
	slices.SortStableFunc(asked, func(a, b askedChild) int { return a.until.Compare(b.until) })
	timer := time.NewTimer(0)
	defer timer.Stop()
	for _, a := range asked {
		a.await(ctx, timer)
		if !a.ended() || a.leftSome(a.options) {
			finish(a.Process, func() error {
				status, err := a.stopAsked(ctx, a.options, a.end)
				a.stopped(a.observation, status, err)
				return err
			})
			continue
		}
		status, err := a.Wait()
		a.stopped(a.observation, status, err)
		if err != nil {
			t.failed(a.Process, err)
		}
	}
}

// many is how many children it takes for one look at all processes to be quicker
// than a look at each child.
const many = 64

// lookAtAll returns what tells whether a child has no children itself, as far as
// that can be told quickly.
func lookAtAll(procs []*Process) func(pid int) bool {
	if len(procs) < many {
		return linux.Childless
	}
	known := make(map[int]bool, len(procs))
	for _, p := range procs {
		known[p.pid] = !p.ended()
	}
	parents, ok := linux.Parents(known)
	if !ok {
		return linux.Childless
	}
	return func(pid int) bool { return !parents[pid] }
}

// An askedChild has been sent the signal that asks it to end.
type askedChild struct {
	*Process
	options    StopOptions
	over       chan struct{} // to be closed after the grace
	until, end time.Time     // of the grace, and of everything

	observation Observation // of its stop; nil when nobody wants to know
}

// await waits for the end of the child or of its grace.
func (a *askedChild) await(ctx context.Context, timer *time.Timer) {
	defer close(a.over)
	if a.ended() {
		return
	}
	defer a.waiting(waitGrace, a.until).end()
	timer.Reset(time.Until(a.until))
	select {
	case <-a.done:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// askByKeeper asks a child that the host has no pidfd of, because it has so many
// children that descriptors became scarce. One is asked after the other: if all
// of them stood in line for the keeper at once, the last would have been given up
// by then. Reached is false when the keeper does not answer in time.
func (p *Process) askByKeeper(o StopOptions) (asked, reached bool) {
	p.mu.Lock()
	t, ok := p.target.(*localTarget)
	p.mu.Unlock()
	if !ok || t.near() || o.AskTime > 0 || o.Grace == 0 {
		return false, true
	}
	err := p.askBy(o)
	return err == nil || errors.Is(err, os.ErrProcessDone), !errors.Is(err, spawn.ErrTimeout)
}

// near reports whether the child is reached without the keeper.
func (t *localTarget) near() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.ended || t.pidfd >= 0
}

// askQuickly asks the child to end if that takes neither the keeper nor any
// wait: if what is below it does not matter, or there is nothing. Over is not nil when
// it is up to the caller to ask, and closed when that has been done for long
// enough.
func (p *Process) askQuickly(o StopOptions, childless func(pid int) bool) (over chan struct{}, quickly bool) {
	over, first := p.beginStop()
	if !first {
		return nil, false
	}
	if o.AskTime > 0 || o.Grace == 0 || o.Scope == StopGroup {
		return over, false
	}
	p.mu.Lock()
	t, ok := p.target.(*localTarget)
	p.mu.Unlock()
	if !ok {
		return over, false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended || t.pidfd < 0 || !o.keeps() && !childless(t.pid) {
		return over, false
	}
	if linux.PidfdSignal(t.pidfd, o.Signal) != nil {
		return over, false
	}
	linux.PidfdSignal(t.pidfd, contSignal)
	return over, true
}
