package up

import (
	"os"

	"github.com/hatchery-spawn/hatchery/host"
)

// Options say what to run, and with what.
type Options struct {
	Path string // of the service table

	// CheckMethod says what is wrong with the key of a spawn method.
	CheckMethod func(key string) error

	// Host opens the host of all services.
	Host host.Config

	// Stdout gets the output of the services, Stderr what becomes of them.
	Stdout, Stderr *os.File

	// Signals are those that ask to stop, and SIGHUP, which reads the table
	// again.
	Signals <-chan os.Signal
}

// A Failure is how a service ended that could not be borne.
type Failure struct {
	Service string
	Err     error
	// Late says that it was not up in time.
	Late bool
}

// Error names the service and says what happened.
func (f *Failure) Error() string { return f.Service + ": " + f.Err.Error() }

// Unwrap returns Err.
func (f *Failure) Unwrap() error { return f.Err }

// Stopped is the error of a run that a signal has ended.
type Stopped struct{ Signal os.Signal }

// Error names the signal.
func (s *Stopped) Error() string { return "ended by a signal: " + s.Signal.String() }
