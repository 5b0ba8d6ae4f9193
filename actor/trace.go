package actor

import "runtime/debug"

// traced is an error with the stack of where Trace was called.
type traced struct {
	error
	stack string
}

func (t *traced) Unwrap() error { return t.error }

// Stack returns the stack.
func (t *traced) Stack() string { return t.stack }

// Trace returns err with the stack of the caller, which the parent gets with it.
// Any error with a method Stack() string has one as well. Trace(nil) is nil.
func Trace(err error) error {
	if err == nil {
		return nil
	}
	return &traced{err, string(debug.Stack())}
}
