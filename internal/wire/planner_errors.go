package wire

import (
	"context"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// failure completes an error that arose on the host's side of the lane.
func (p *Planner) failure(e *spawn.Error) *spawn.Error {
	out := *e
	if out.Key == "" {
		out.Key = p.key
	}
	if out.Phase == "" {
		out.Phase = spawn.PhasePlan
	}
	return &out
}

// named completes the error of an answer; one that came from the plugin has
// said everything already.
func (p *Planner) named(err error, op string) error {
	e, ok := err.(*spawn.Error)
	if !ok {
		return err // nil: answers have no other errors
	}
	out := p.failure(e)
	if out.Op == "" && (out.Kind == spawn.ErrPluginGone || out.Kind == spawn.ErrProtocol) {
		out.Op = op
	}
	return out
}

// ended returns the error for a request on a lane that has ended.
func (p *Planner) ended(op string) error {
	p.mu.Lock()
	gone := p.gone
	p.mu.Unlock()
	return p.named(gone, op)
}

// interrupted returns the error for a caller whose context ended.
func (p *Planner) interrupted(ctx context.Context, op string) error {
	e := &spawn.Error{Op: op, Kind: contextKind(ctx.Err()), Err: ctx.Err(), Msg: "the caller gave up"}
	if e.Kind == spawn.ErrTimeout {
		e.Msg = "no answer from the plugin"
	}
	return p.failure(e)
}
