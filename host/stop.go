package host

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/failpoint"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// Stop ends the child, as SetStop says; by default SIGTERM to it, and SIGCONT
// in case it is stopped; when it is still there after Timeouts.Grace, or when
// ctx ends, SIGKILL to it and to everything below it. What the child leaves
// behind, which is what was below it when it was asked and what is in a process
// group or session of its own, is ended after it, likewise: SIGTERM, a second at
// most, SIGKILL. Stop returns the child's status, in the sum of its times and
// Timeouts.Close at most: an error of kind spawn.ErrTimeout names who is still
// there then, because not even SIGKILL ends it: it waits for a device or runs as
// another user. If that is the child itself its status is Lost. Stopping a child
// that has ended is no error; what it left behind is ended all the same.
func (p *Process) Stop(ctx context.Context) (spawn.ExitStatus, error) {
	o := p.stopOptions()
	return p.stop(ctx, o, time.Now().Add(o.budget(p.host.limits)))
}

// stop is Stop with the time by which it returns, whatever happens. Only the
// first call asks: the child is asked once, and later callers can but hasten
// it.
func (p *Process) stop(ctx context.Context, o StopOptions, end time.Time) (status spawn.ExitStatus, err error) {
	if obs := p.observeStop(ctx); obs != nil {
		defer func() { p.stopped(obs, status, err) }()
	}
	defer p.waiting(waitStop, end).end()
	failpoint.Pass(failpoint.HostStopAsk)
	over, first := p.beginStop()
	if first {
		return p.askAndStop(ctx, o, over, end)
	}
	select {
	case <-over:
	case <-p.done:
	case <-ctx.Done():
	}
	return p.stopAsked(ctx, o, end)
}

// askAndStop is stop for the one who has to ask, and closes over then.
func (p *Process) askAndStop(ctx context.Context, o StopOptions, over chan struct{}, end time.Time) (spawn.ExitStatus, error) {
	p.askToEnd(ctx, o)
	close(over)
	return p.stopAsked(ctx, o, end)
}

// stopAsked is what follows when the child has been asked.
func (p *Process) stopAsked(ctx context.Context, o StopOptions, end time.Time) (spawn.ExitStatus, error) {
	if !p.ended() { // it was not to be asked, or did not listen
		return p.force(ctx, o, end)
	}
	return p.stopRest(ctx, o, end)
}

// force kills the child, and ends what it leaves behind.
func (p *Process) force(ctx context.Context, o StopOptions, end time.Time) (spawn.ExitStatus, error) {
	if status, err := p.kill(o.Scope, end); err != nil {
		return status, err
	}
	return p.stopRest(ctx, o, end)
}

// stopRest ends what a child that has been stopped has left behind. After a
// child that had to be killed nobody is asked.
func (p *Process) stopRest(ctx context.Context, o StopOptions, end time.Time) (spawn.ExitStatus, error) {
	grace := o.Grace
	if p.Forced() {
		grace = 0
	}
	status, err := p.Wait()
	if a := p.endOrphans(ctx, o, grace, end); a != nil && err == nil {
		err = a.err
	}
	return status, err
}

// beginStop returns what is closed when the child has been asked for long
// enough, and whether it is the caller who has to ask.
func (p *Process) beginStop() (over chan struct{}, first bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if first = p.asked == nil; first {
		p.asked = make(chan struct{})
	}
	return p.asked, first
}

// askToEnd asks the child in its own way, then by the signal, and waits for
// its end each time, as long as o says.
func (p *Process) askToEnd(ctx context.Context, o StopOptions) {
	grace := o.Grace
	if o.AskTime > 0 {
		p.look(o)
		begin := time.Now()
		p.ask(ctx, o)
		if o.AskWaits {
			grace -= time.Since(begin)
		}
	}
	if o.Grace == 0 || p.ended() {
		return
	}
	if err := p.askBy(o); err != nil && !errors.Is(err, os.ErrProcessDone) { // of its end, word is on the way
		return
	}
	defer p.waiting(waitGrace, time.Now().Add(grace)).end()
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// askBy sends the signal that asks the child to end, and SIGCONT.
func (p *Process) askBy(o StopOptions) error {
	if o.keeps() && o.Scope != StopGroup {
		if err := p.Signal(o.Signal); err != nil {
			return err
		}
		return p.Signal(contSignal)
	}
	return p.asking(o.Signal, o.Scope == StopGroup)
}

// look notes what is below the child, which may end without being sent a signal.
func (p *Process) look(o StopOptions) {
	if o.keeps() {
		return
	}
	p.asking(0, false)
}

// asking sends the child a signal after a look at what is below it.
func (p *Process) asking(sig syscall.Signal, group bool) error {
	late := false
	err := p.calling(func(ctx context.Context, t target) error {
		err := t.ask(ctx, sig, group)
		late = ctx.Err() != nil
		return err
	})
	if late || errors.Is(err, os.ErrProcessDone) {
		p.endedUnseen()
	}
	return err
}

// endedUnseen notes that the child ended while it was being looked at, or that the
// look takes longer than was waited for: whether it has left anything behind only
// the keeper knows.
func (p *Process) endedUnseen() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left = true
}

// calling is locked with the bound of a request to the keeper that is made
// before a child is asked: there are two at most, and the half of Timeouts.Close
// that they take at worst is no time that the child has.
func (p *Process) calling(f func(context.Context, target) error) error {
	limits := &p.host.limits
	ctx, cancel := context.WithTimeout(context.Background(), min(limits.Call, limits.Close/4))
	defer cancel()
	return p.locked(func(t target) error { return f(ctx, t) })
}

func (p *Process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// kill sends SIGKILL and waits for the child, for Timeouts.Close at most.
func (p *Process) kill(scope StopScope, end time.Time) (spawn.ExitStatus, error) {
	failpoint.Pass(failpoint.HostStopKill)
	p.mu.Lock()
	p.forced = true
	p.mu.Unlock()
	if limit := time.Now().Add(p.host.limits.Close); limit.Before(end) {
		end = limit
	}
	ctx, cancel := context.WithDeadline(context.Background(), end)
	defer cancel()
	defer p.waiting(waitKill, end).end()
	// The keeper has half of the time to say what it did: a child must be
	// killed even if the keeper does not answer.
	ask, cancelAsk := context.WithTimeout(ctx, time.Until(end)/2)
	defer cancelAsk()
	kerr := p.locked(func(t target) error {
		if scope == StopProcess {
			return t.signal(ask, syscall.SIGKILL)
		}
		return t.killTree(ask)
	})
	select {
	case <-p.done:
		return p.Wait()
	case <-ctx.Done():
	}
	if kerr == nil || errors.Is(kerr, os.ErrProcessDone) {
		kerr = errors.New("SIGKILL has not ended it yet, or nobody has said so")
	}
	return spawn.LostStatus("the child could not be stopped"), &spawn.Error{
		Key: string(p.key), Phase: spawn.PhaseStop, Op: "stop", Kind: spawn.ErrTimeout,
		Msg: "process " + itoa(p.pid), Err: kerr,
	}
}

// Forced reports whether Stop had to use SIGKILL.
func (p *Process) Forced() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.forced
}
