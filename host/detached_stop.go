package host

import (
	"context"
	"errors"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// Stop ends the child as Process.Stop does: SIGTERM and SIGCONT to it, and after
// Timeouts.Grace, or when ctx ends, SIGKILL to it and to everything below it. What
// it leaves behind is ended by its keeper, also with KeepOrphans; Stop returns when the
// keeper has gone. The bound is Timeouts.Grace and Close, and two of Call for a keeper that does not
// answer; the error names what is there still, or says that the keeper does not answer. Stopping a
// child that has ended is no error. The status stays to be read by others.
func (d *Detached) Stop(ctx context.Context) (spawn.ExitStatus, error) {
	limits := d.host.limits
	end := time.Now().Add(limits.Grace + limits.Close + 2*limits.Call)
	defer d.waiting(waitStop, end).end()
	defer d.use()()
	bounded, cancel := context.WithDeadline(context.Background(), end)
	defer cancel()
	l, err := d.reach(bounded)
	if err != nil {
		return spawn.ExitStatus{}, err
	}
	if l != nil {
		if err := d.stop(ctx, bounded, l); err != nil {
			return spawn.ExitStatus{}, err
		}
		if l, err = d.reach(bounded); l != nil || err != nil {
			return spawn.ExitStatus{}, d.notStopped(err)
		}
	}
	if d.status.Source != spawn.Lost {
		if err := d.stopRest(bounded); err != nil {
			return d.status, err
		}
	}
	return d.outcome()
}

// stop asks and then kills the child. ctx hastens it, bounded ends it.
func (d *Detached) stop(ctx, bounded context.Context, l *link) error {
	limits := d.host.limits
	call := func(f func(context.Context) error) error {
		c, cancel := context.WithTimeout(bounded, limits.Call)
		defer cancel()
		if err := f(c); !errors.Is(err, syscall.ESRCH) && !errors.Is(err, spawn.ErrKeeperGone) {
			return d.explain(err)
		}
		return nil // it has ended, or nobody knows
	}
	if ctx.Err() == nil {
		if err := call(func(c context.Context) error { return l.Ask(c, l.id, termSignal, false) }); err != nil {
			return err
		}
	}
	if d.await(ctx, l, limits.Grace) {
		return nil
	}
	err := call(func(c context.Context) error { return l.Kill(c, l.id) })
	if !d.await(bounded, l, limits.Close) {
		return d.notStopped(err)
	}
	return nil
}

// await waits for the end of the child, or of its keeper.
func (d *Detached) await(ctx context.Context, l *link, limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-d.done:
		return true
	case <-l.Gone():
		return true
	case <-ctx.Done():
	case <-timer.C:
	}
	return false
}

func (d *Detached) notStopped(err error) error {
	if err == nil {
		err = errors.New("SIGKILL has not ended it yet, or nobody has said so")
	}
	return &spawn.Error{
		Key: d.rec.Method, Phase: spawn.PhaseStop, Op: "stop", Kind: spawn.ErrTimeout,
		Msg: "process " + itoa(d.rec.Child.Pid), Err: err,
	}
}

// stopRest ends what the child has left behind, and waits for the keeper, which
// ends then.
func (d *Detached) stopRest(ctx context.Context) error {
	limits := d.host.limits
	if d.rec.Keep && d.kept() {
		l, err := d.dial(ctx)
		if err == nil {
			bounded, cancel := context.WithTimeout(ctx, orphanGrace+limits.Close)
			err = l.End(bounded, min(orphanGrace, limits.Grace), limits.Close/2)
			cancel()
		}
		if err != nil && !errors.Is(err, spawn.ErrKeeperGone) {
			return withKey(err, spawnKey(d.rec.Method))
		}
	}
	bounded, cancel := context.WithTimeout(ctx, orphanGrace+limits.Close)
	defer cancel()
	if err := d.awaitKeeper(bounded); err != nil {
		return &spawn.Error{
			Key: d.rec.Method, Phase: spawn.PhaseStop, Op: "stop", Kind: spawn.ErrTimeout,
			Msg: "what process " + itoa(d.rec.Child.Pid) + " left behind has not ended yet", Err: err,
		}
	}
	return nil
}
