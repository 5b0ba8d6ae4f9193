package actor

import (
	"context"
	"errors"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// Canceled is why an actor was canceled. It is the cause of its context's end,
// and what its parent gets for an error when the actor has ended for nothing
// else. It matches context.Canceled and spawn.ErrCanceled.
type Canceled struct {
	By     string `json:"by,omitempty"`     // who asked first: an actor, a program, a signal
	Reason string `json:"reason,omitempty"` // in words; may be empty
}

// Error says who asked, and why.
func (c *Canceled) Error() string {
	s := "canceled"
	if c.By != "" {
		s += " by " + c.By
	}
	if c.Reason != "" {
		s += ": " + c.Reason
	}
	return s
}

// Is reports whether target is one of the errors for a cancellation.
func (c *Canceled) Is(target error) bool {
	return target == context.Canceled || target == spawn.ErrCanceled
}

// OnlyCanceled reports whether err says nothing but that something was
// canceled: each of the errors it is made of is a cancellation. Of one that
// joins a cancellation with a failure it is false, where errors.Is would find
// the cancellation alone.
func OnlyCanceled(err error) bool {
	var many interface{ Unwrap() []error }
	switch e := err.(type) {
	case nil:
		return false
	case *Canceled:
		return true
	case *spawn.Error:
		return e.Kind == spawn.ErrCanceled || e.Kind == nil && e.Errno == 0 && OnlyCanceled(e.Err)
	case *RemoteError:
		if e.identity != nil {
			return OnlyCanceled(e.identity)
		}
		many = e
	case interface{ Unwrap() []error }:
		many = e
	default:
		if err == context.Canceled || err == spawn.ErrCanceled {
			return true
		}
		return OnlyCanceled(errors.Unwrap(err))
	}
	all := many.Unwrap()
	for _, e := range all {
		if !OnlyCanceled(e) {
			return false
		}
	}
	return len(all) > 0
}
