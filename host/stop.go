package host

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// Stop ends the child, as SetStop says; by default SIGTERM to it, and SIGCONT
// in case it is stopped; when it is still there after Timeouts.Grace, or when
// ctx ends, SIGKILL to it and to everything below it. Stop returns its status,
// in the sum of its times and Timeouts.Close at most: then the error is of kind
// spawn.ErrTimeout, and the child is one that not even SIGKILL ends, because it
// waits for a device or runs as another user. Stopping a child that has ended
// is no error.
func (p *Process) Stop(ctx context.Context) (spawn.ExitStatus, error) {
	o := p.stopOptions()
	return p.stop(ctx, o, time.Now().Add(o.budget(p.host.limits)))
}

// stop is Stop with the time by which it returns, whatever happens. Only the
// first call asks: the child is asked once, and later callers can but hasten
// it.
func (p *Process) stop(ctx context.Context, o StopOptions, end time.Time) (spawn.ExitStatus, error) {
	defer p.waiting(waitStop, end).end()
	if over, first := p.beginStop(); first {
		p.askToEnd(ctx, o)
		close(over)
	} else {
		select {
		case <-over:
		case <-p.done:
		case <-ctx.Done():
		}
	}
	if p.ended() {
		return p.Wait()
	}
	return p.kill(o.Scope, end) // it was not to be asked, or did not listen
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
	if o.AskTime > 0 {
		p.ask(ctx, o)
	}
	if o.Grace == 0 || p.ended() || p.Signal(o.Signal) != nil {
		return
	}
	p.Signal(contSignal)
	defer p.waiting(waitGrace, time.Now().Add(o.Grace)).end()
	timer := time.NewTimer(o.Grace)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
	case <-ctx.Done():
	}
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
