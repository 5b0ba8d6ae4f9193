package spawn

import (
	"fmt"
	"syscall"
	"time"
)

// ExitSource says who vouches for an ExitStatus.
type ExitSource string

// Sources of an exit status.
const (
	// FromKernel: the keeper, the child's parent, had it from wait4(2).
	FromKernel ExitSource = "kernel"
	// FromBackend: the backend reported it for a child that is not a local
	// process.
	FromBackend ExitSource = "backend"
	// Lost: nobody could have it; Reason says why. Code is -1.
	Lost ExitSource = "lost"
)

// An ExitStatus says how a child ended. It is never invented: what the kernel
// or the backend did not say is Lost.
type ExitStatus struct {
	Code   int            // 0..255; -1 when a signal ended the child or Source is Lost
	Signal syscall.Signal // the signal that ended it, or 0
	Core   bool           // a core was dumped
	Source ExitSource
	Reason string // why it is Lost
	// Exceeded are the limits that the child ran into, as far as whoever set
	// them can see that: see the method's documentation.
	Exceeded Exceeded
	Rusage   Rusage    // of the child and of the descendants it waited for
	Time     time.Time // when the keeper or the backend learned of the exit
}

// Rusage is what a child used: see getrusage(2).
type Rusage struct {
	UserTime, SystemTime       time.Duration
	MaxRSS                     int64 // bytes
	MinorFaults, MajorFaults   int64
	BlocksIn, BlocksOut        int64
	VoluntaryCS, InvoluntaryCS int64 // context switches
}

// Success reports whether the child exited with code 0.
func (s ExitStatus) Success() bool { return s.Code == 0 && s.Signal == 0 && s.Source != Lost }

// Signaled reports whether a signal ended the child.
func (s ExitStatus) Signaled() bool { return s.Signal != 0 }

// ShellCode returns the code a shell would show: the child's own, or 128 plus
// the number of the signal that ended it. A lost status has none: it is 125.
func (s ExitStatus) ShellCode() int {
	switch {
	case s.Source == Lost:
		return 125
	case s.Signal != 0:
		return 128 + int(s.Signal)
	}
	return s.Code
}

// String returns the status in the words of package os: "exit status 7",
// "signal: killed", or "lost: " and the reason. Limits that were exceeded are
// named behind it: "signal: killed (exceeded: memory)".
func (s ExitStatus) String() string {
	t := s.raw()
	if s.Exceeded != 0 {
		t += " (exceeded: " + s.Exceeded.String() + ")"
	}
	return t
}

func (s ExitStatus) raw() string {
	switch {
	case s.Source == Lost:
		return "lost: " + s.Reason
	case s.Signal != 0:
		t := "signal: " + s.Signal.String()
		if s.Core {
			t += " (core dumped)"
		}
		return t
	}
	return fmt.Sprintf("exit status %d", s.Code)
}

// LostStatus returns the status of a child whose end nobody saw.
func LostStatus(reason string) ExitStatus {
	return ExitStatus{Code: -1, Source: Lost, Reason: reason}
}

// An ExitError reports a child that did not end with code 0. It is what
// waiting returns, as *exec.ExitError is in package os/exec.
type ExitError struct {
	ExitStatus
	// Stderr is the beginning and the end of what the child wrote to its
	// standard error, when the caller let it be collected.
	Stderr []byte
}

// Error returns the words of [ExitStatus.String].
func (e *ExitError) Error() string { return e.ExitStatus.String() }

// ExitCode returns the code, or -1 when a signal ended the child or the status
// was lost.
func (e *ExitError) ExitCode() int { return e.Code }

// Unwrap returns ErrLost for a lost status.
func (e *ExitError) Unwrap() error {
	if e.Source == Lost {
		return ErrLost
	}
	return nil
}
