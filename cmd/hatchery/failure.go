package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"strings"

	"github.com/hatchery-spawn/hatchery/spawn"
	"github.com/spf13/cobra"
)

// Exit codes of hatchery's own. Every other is the child's: what it exited
// with, or 128 plus the number of the signal that ended it.
const (
	codeUsage       = 2
	codeBlocked     = 120 // the method is known not to work
	codeUnavailable = 121 // the method does not work on this machine
	codeTimedOut    = 124 // --timeout
	codeFailed      = 125 // hatchery or the backend
	codeNotExec     = 126 // the program was found and cannot be executed
	codeNotFound    = 127
)

// A failure is an error on its way out: what is said, and the exit code.
type failure struct {
	code int
	err  error  // nil when there is nothing to say
	hint string // what to do, when err does not say it
}

func (f *failure) Error() string {
	if f.err == nil {
		return fmt.Sprintf("exit code %d", f.code)
	}
	return f.err.Error()
}

func (f *failure) Unwrap() error { return f.err }

// usage is the failure of a command that was called wrongly.
func usage(cmd *cobra.Command, format string, args ...any) error {
	return &failure{codeUsage, fmt.Errorf(format, args...), "see " + cmd.CommandPath() + " --help"}
}

// failureOf returns err with its exit code. What is not ours is cobra's, about
// the command line.
func failureOf(err error) *failure {
	var f *failure
	if errors.As(err, &f) {
		return f
	}
	var e *spawn.Error
	if !errors.As(err, &e) {
		return &failure{codeFailed, err, ""}
	}
	is := func(kind error) bool { return errors.Is(err, kind) }
	switch {
	case is(spawn.ErrUnknownMethod):
		return &failure{codeUsage, err, "see hatchery backends --all for the methods, and for files that were skipped"}
	case is(spawn.ErrBadOption):
		return &failure{codeUsage, err, fmt.Sprintf("see hatchery explain %s for what it takes", e.Key)}
	// Only a stub has the details: a plugin too old to know a request is
	// not implemented either.
	case is(spawn.ErrNotImplemented) && e.Blocked != nil:
		return &failure{codeBlocked, err, ""}
	case is(spawn.ErrUnavailable) && strings.HasPrefix(e.Msg, "require=warm: "):
		return &failure{codeUnavailable, err, fmt.Sprintf("leave require=warm out to have it started cold; hatchery explain %s says what is served warm", e.Key)}
	case is(spawn.ErrUnavailable):
		return &failure{codeUnavailable, err, "see hatchery probe for what works here"}
	case e.Phase == spawn.PhaseResolve || e.Phase == spawn.PhaseExec:
		return &failure{codeOfExec(err), err, ""}
	}
	return &failure{codeFailed, err, ""}
}

// codeOfExec tells a program that is missing from one that cannot be executed.
func codeOfExec(err error) int {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, exec.ErrNotFound) {
		return codeNotFound
	}
	return codeNotExec
}
