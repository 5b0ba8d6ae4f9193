package table

import (
	"reflect"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// A Table says what to run.
type Table struct {
	// Registry are the addresses of the registrar, as multiaddrs. It may be
	// empty; Registrar says whether there is to be one even if no actor needs it.
	Registry  []string
	Registrar bool

	Services []Service // in the order of the file
}

// A Service is one process that is to run.
type Service struct {
	Name string
	Line int // of the file, counted from 1

	// Program is the program and its arguments: the command, or the actor's.
	Program []string

	// Actor is the entry point of an actor, and empty for a command. Args are
	// what the actor is told, and Bind where it is to listen, as multiaddrs.
	Actor string
	Args  []string
	Bind  []string

	// After are the services that have to be up before this one is started.
	After []string

	Method     string   // the key of a spawn method; empty means the selected one
	Options    []string // the method's settings, KEY=VALUE
	Dir        string   // the working directory, absolute
	Env        []string // variables, KEY=VALUE, sorted
	ClearEnv   bool     // there are no others
	Credential *spawn.Credential

	Restart Restart

	// StartTimeout is what the service has until it is up, Grace what it has
	// between being asked to end, by StopSignal, and SIGKILL. Zero means the
	// default: of the one 10 s, of the other the host's, and SIGTERM.
	StartTimeout time.Duration
	Grace        time.Duration
	StopSignal   syscall.Signal
}

// A Restart says what happens when a service fails.
type Restart struct {
	// Max is how many failures within Within are borne. Zero: none.
	Max    int
	Within time.Duration

	// MinDelay and MaxDelay bound the wait before a restart.
	MinDelay, MaxDelay time.Duration
}

// onFailure returns the restart policy "on-failure": the times of a host's nursery, and
// five failures within a minute.
func onFailure() Restart {
	return Restart{Max: 5, Within: time.Minute, MinDelay: 100 * time.Millisecond, MaxDelay: 30 * time.Second}
}

// Equal reports whether two services are the same but for their place in the file.
func (s Service) Equal(o Service) bool {
	s.Line, o.Line = 0, 0
	return reflect.DeepEqual(s, o)
}

// Lookup returns the service of a name.
func (t *Table) Lookup(name string) (Service, bool) {
	for _, s := range t.Services {
		if s.Name == name {
			return s, true
		}
	}
	return Service{}, false
}

// NeedsRegistrar reports whether there is to be a registrar.
func (t *Table) NeedsRegistrar() bool {
	for _, s := range t.Services {
		if s.Actor != "" {
			return true
		}
	}
	return t.Registrar
}
