package wire

import (
	"context"
	"errors"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// Diagnosed returns e with what is known about the process: at the end of its
// text, and for errors.As.
func Diagnosed(e *spawn.Error, p Process) *spawn.Error {
	d := p.Diagnose()
	if d == nil {
		return e
	}
	out := *e
	out.Err = d
	if e.Err != nil {
		out.Err = &diagnosis{cause: e.Err, process: d}
	}
	return &out
}

// A diagnosis is a cause together with what is known about the process.
type diagnosis struct{ cause, process error }

// Error returns both texts. That a context has ended the message says in
// better words.
func (d *diagnosis) Error() string {
	cause, process := d.cause.Error(), d.process.Error()
	switch {
	case errors.Is(d.cause, context.Canceled), errors.Is(d.cause, context.DeadlineExceeded), cause == "":
		return process
	case process == "":
		return cause
	}
	return cause + ": " + process
}

func (d *diagnosis) Unwrap() []error { return []error{d.cause, d.process} }
