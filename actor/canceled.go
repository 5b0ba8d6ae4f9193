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
	switch e := err.(type) {
	case nil:
		return false
	case *Canceled:
		return true
	case *spawn.Error:
		return e.Kind == spawn.ErrCanceled || e.Kind == nil && e.Errno == 0 && OnlyCanceled(e.Err)
	case *RemoteError:
		if s, ok := e.identity.(*spawn.Error); e.identity != nil && (!ok || s.Kind != nil || s.Errno != 0) {
			return OnlyCanceled(e.identity)
		}
		return allCanceled(e.wraps)
	case interface{ Unwrap() []error }:
		return allCanceled(e.Unwrap())
	}
	return err == context.Canceled || err == spawn.ErrCanceled || OnlyCanceled(errors.Unwrap(err))
}

func allCanceled(all []error) bool {
	for _, e := range all {
		if !OnlyCanceled(e) {
			return false
		}
	}
	return len(all) > 0
}
