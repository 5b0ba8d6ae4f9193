package actor

import (
	"slices"

	"github.com/hatchery-spawn/hatchery/actor/channel"
)

// A RemoteError is an error that came from another process. errors.Is and
// errors.As find in it what this process knows of the types it had there (see
// [Errors]), and the errors that it was made of, each a RemoteError too.
type RemoteError struct {
	// Type is the name of its type there, or that of its kind.
	Type string

	// Stack is where it arose, if that is known: of a panic, and of what
	// Trace or the other side's language has noted.
	Stack string

	// Panic says that it was one, or an exception that nobody caught.
	Panic bool

	// Path are the names of the actors that it has crossed, that where it
	// arose first. What is wrapped may have a path of its own.
	Path []string

	fault    *channel.Fault // to pass it on as it came
	identity error          // what it is in this process; nil when that is not known
	wraps    []error
}

// Error returns the text as it was where the error arose.
func (e *RemoteError) Error() string { return e.fault.Text }

// Unwrap returns what the error is in this process, if that is known, and what it
// wraps.
func (e *RemoteError) Unwrap() []error {
	if e.identity == nil {
		return e.wraps
	}
	return append([]error{e.identity}, e.wraps...)
}

// Error makes an error of a fault that came from another process, a
// [*RemoteError]. That of nil is nil.
func (r Errors) Error(f *channel.Fault) error {
	if f == nil {
		return nil
	}
	kinds := known()
	for name, k := range r {
		kinds[name] = k
	}
	return remoteError(f, kinds, 0)
}

func remoteError(f *channel.Fault, kinds Errors, depth int) *RemoteError {
	e := &RemoteError{Type: f.Type, Stack: f.Stack, Panic: f.Panic, Path: slices.Clone(f.Path), fault: f}
	if k, ok := kinds[f.Type]; ok && !f.Panic {
		if err, derr := k.decode(f.Data); derr == nil {
			e.identity = err
		}
	}
	for _, w := range f.Wraps {
		if w != nil && depth < maxDepth {
			e.wraps = append(e.wraps, remoteError(w, kinds, depth+1))
		}
	}
	return e
}
