package host

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// Stop ends the child: SIGTERM to it, and SIGCONT in case it is stopped; when
// it is still there after Timeouts.Grace, or when ctx ends, SIGKILL to it and
// to everything below it. Stop returns its status, in Timeouts.Grace +
// Timeouts.Close at most: then the error is of kind spawn.ErrTimeout, and the
// child is one that not even SIGKILL ends, because it waits for a device or
// runs as another user. Stopping a child that has ended is no error.
func (p *Process) Stop(ctx context.Context) (spawn.ExitStatus, error) {
	return p.stop(ctx, time.Now().Add(p.host.limits.Grace+p.host.limits.Close))
}

// stop is Stop with the time by which it returns, whatever happens.
func (p *Process) stop(ctx context.Context, end time.Time) (spawn.ExitStatus, error) {
	if err := p.Signal(termSignal); err == nil {
		p.Signal(contSignal)
		timer := time.NewTimer(p.host.limits.Grace)
		defer timer.Stop()
		select {
		case <-p.done:
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	select {
	case <-p.done:
		return p.Wait()
	default: // it was not to be asked, or did not listen
		return p.kill(end)
	}
}

// kill ends the tree and waits for the child, for Timeouts.Close at most.
func (p *Process) kill(end time.Time) (spawn.ExitStatus, error) {
	p.mu.Lock()
	p.forced = true
	p.mu.Unlock()
	if limit := time.Now().Add(p.host.limits.Close); limit.Before(end) {
		end = limit
	}
	ctx, cancel := context.WithDeadline(context.Background(), end)
	defer cancel()
	// The keeper has half of the time to say what it did: a child must be
	// killed even if the keeper does not answer.
	ask, cancelAsk := context.WithTimeout(ctx, time.Until(end)/2)
	defer cancelAsk()
	kerr := p.locked(func(t target) error { return t.killTree(ask) })
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
