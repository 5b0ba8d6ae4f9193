package parent

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hatchery-spawn/hatchery/actor"
	"github.com/hatchery-spawn/hatchery/actor/channel"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// drainTime is how long an ended actor's last words are read: somebody else may
// have its descriptors open.
const drainTime = 100 * time.Millisecond

// ErrTooSlow is what is wrong with an actor that has not acknowledged in time
// that it is to end. It is no error of a context, so that it is not taken for the
// caller's own deadline.
var ErrTooSlow = errors.New("too slow: it has not acknowledged the request to end")

// errGaveUp is what is wrong with an actor that lives on without its channel.
var errGaveUp = errors.New("it has closed its channel to its parent, and did not end")

// errOver is how the channel to an actor ended that has succeeded.
var errOver = errors.New("the actor has ended")

// A Failure is how an actor ended that did not succeed, as the Err of its
// *[host.ChildError].
type Failure struct {
	// Exit is how the process ended, with the end of its standard error; nil
	// for code 0.
	Exit *spawn.ExitError

	// Reported is what the actor itself has said, a *[actor.RemoteError]. It is
	// nil when it could not.
	Reported error

	// Stop is what was wrong while it was being stopped: ErrTooSlow, or what it
	// did to its channel.
	Stop error
}

// Error returns what the actor has said, or else its status and its last words.
func (f *Failure) Error() string {
	var s string
	switch {
	case f.Reported != nil:
		s = f.Reported.Error()
	case f.Exit != nil:
		s = f.Exit.Error() + lastWords(f.Exit.Stderr)
	}
	if f.Stop != nil {
		s = strings.TrimPrefix(s+": ", ": ") + f.Stop.Error()
	}
	return s
}

// Unwrap returns the parts.
func (f *Failure) Unwrap() []error {
	var all []error
	if f.Reported != nil {
		all = append(all, f.Reported)
	}
	if f.Exit != nil {
		all = append(all, f.Exit)
	}
	if f.Stop != nil {
		all = append(all, f.Stop)
	}
	return all
}

// ended is called once the process has ended, and ends all that is left of the
// actor.
func (a *Actor) ended(p *host.Process, e host.Ending) host.Ending {
	deadline := time.Now().Add(drainTime)
	a.drain(deadline)
	a.stderr.Finish(deadline)
	a.mu.Lock()
	report, f := a.report, &Failure{Stop: a.stop}
	if errors.Is(a.broken, spawn.ErrProtocol) {
		f.Stop = errors.Join(f.Stop, a.broken)
	}
	a.mu.Unlock()
	if exit, ok := e.Err.(*spawn.ExitError); ok {
		exit.Stderr = a.stderr.Last()
		f.Exit = exit
	}
	if report != nil && report.Error != nil {
		f.Reported = a.spec.Errors.Error(report.Error)
		e.Obeyed = report.Canceled
	}
	if f.Exit != nil || f.Reported != nil {
		e.Err = f
	}
	a.over(e.Err)
	a.removeSocket()
	return e
}

// drain waits for the end of the channel, which may have the actor's last word.
func (a *Actor) drain(deadline time.Time) {
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	select {
	case <-a.served:
	case <-timer.C:
	}
}

// over ends the channel.
func (a *Actor) over(err error) {
	if err == nil {
		err = errOver
	}
	a.channel.End(fmt.Errorf("actor %q: %w", a.spec.Name, err))
}

// abandon lets go of what an actor had that was not started.
func (a *Actor) abandon(err error) {
	a.stderr.Finish(time.Now())
	a.over(err)
	a.removeSocket()
}

// stopOptions are how the nursery ends the actor.
func (a *Actor) stopOptions() host.StopOptions {
	o := a.spec.Stop
	o.AskWaits = true
	o.Ask = func(ctx context.Context, _ *host.Process) error { return a.ask(ctx, "") }
	return o
}

// Cancel asks the actor to end and returns when it has acknowledged that. It is
// sent no signal; Stop is for that. An actor that does not acknowledge within
// Stop.AskTime is ErrTooSlow, of kind spawn.ErrTimeout; when ctx ends before that
// the error is the context's.
func (a *Actor) Cancel(ctx context.Context, reason string) error {
	return a.ask(ctx, reason)
}

func (a *Actor) ask(ctx context.Context, reason string) error {
	limit := a.spec.Stop.AskTime
	begin := time.Now()
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := a.channel.Request(bounded, channel.TypeCancel, a.request(reason))
	if bounded.Err() == nil || err == nil || time.Since(begin) < limit {
		return err
	}
	err = &spawn.Error{
		Phase: spawn.PhaseStop, Op: "cancel acknowledgement", Kind: spawn.ErrTimeout,
		Msg: fmt.Sprintf("actor %q, within %v", a.spec.Name, limit), Err: ErrTooSlow,
	}
	a.note(err)
	return err
}

// note notes what is wrong while the actor is being stopped.
func (a *Actor) note(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stop == nil {
		a.stop = err
	}
}

// maxReason is how much of a reason an actor is told, in bytes.
const maxReason = 4 << 10

// request is what the actor is told: who was the first to ask, and why.
func (a *Actor) request(reason string) channel.Cancel {
	cause := a.nursery.Cause()
	var c *actor.Canceled
	if actor.OnlyCanceled(cause) && errors.As(cause, &c) {
		return channel.Cancel{By: c.By, Reason: c.Reason}
	}
	self := a.spec.self()
	by := fmt.Sprintf("%s (process %d)", self.Name, self.Pid)
	if reason == "" && cause != nil && cause != context.Canceled {
		reason = cause.Error()
	}
	if len(reason) > maxReason {
		reason = reason[:maxReason] + " …"
	}
	return channel.Cancel{By: by, Reason: reason}
}
