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
	if err := p.Signal(termSignal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		// It cannot be asked: SIGKILL is left to try.
		return p.kill()
	}
	p.Signal(contSignal)
	timer := time.NewTimer(p.host.limits.Grace)
	defer timer.Stop()
	select {
	case <-p.done:
		return p.Wait()
	case <-timer.C:
	case <-ctx.Done():
	}
	return p.kill()
}

func (p *Process) kill() (spawn.ExitStatus, error) {
	p.mu.Lock()
	p.forced = true
	p.mu.Unlock()
	kerr := p.Kill()
	timer := time.NewTimer(p.host.limits.Close)
	defer timer.Stop()
	select {
	case <-p.done:
		return p.Wait()
	case <-timer.C:
	}
	if kerr == nil {
		kerr = errors.New("SIGKILL has not ended it yet")
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
