package host

import (
	"fmt"
	"strings"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// A NurseryError is what a nursery that failed returns: every failure, each
// once, in the order in which they happened.
type NurseryError struct {
	Name string // the nursery's

	// Causes are the failures: children (*[ChildError]) that failed by
	// themselves, the error of the body, the cause of the context's end.
	// errors.Is and errors.As look into them.
	Causes []error

	// Canceled are the children that ended because they were asked to, as
	// *[ChildError]: those whose end was a consequence and no cause.
	Canceled []error
}

// Error lists the causes, and says how many children were canceled for them.
func (e *NurseryError) Error() string {
	var b strings.Builder
	if e.Name != "" {
		fmt.Fprintf(&b, "nursery %q: ", e.Name)
	}
	for i, c := range e.Causes {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(c.Error())
	}
	switch n := len(e.Canceled); n {
	case 0:
	case 1:
		b.WriteString(" (one other was canceled)")
	default:
		fmt.Fprintf(&b, " (%d others were canceled)", n)
	}
	return b.String()
}

// Unwrap returns the causes.
func (e *NurseryError) Unwrap() []error { return e.Causes }

// A ChildError says how a child of a nursery ended, or why it could not be
// started.
type ChildError struct {
	Name     string
	Pid      int              // 0 when it was not started, or is no local process
	Status   spawn.ExitStatus // zero when it was not started
	Restarts int              // how often it had been started again
	Forced   bool             // SIGKILL was needed

	// Err is a *spawn.ExitError, the error of the start, or why the child
	// was given up.
	Err error
}

// Error names the child and says what happened.
func (e *ChildError) Error() string {
	s := fmt.Sprintf("child %q", e.Name)
	if e.Pid != 0 {
		s += fmt.Sprintf(" (process %d)", e.Pid)
	}
	s += ": " + e.Err.Error()
	switch e.Restarts {
	case 0:
	case 1:
		s += ", restarted once"
	default:
		s += fmt.Sprintf(", restarted %d times", e.Restarts)
	}
	return s
}

// Unwrap returns Err.
func (e *ChildError) Unwrap() error { return e.Err }
