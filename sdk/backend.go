package sdk

import (
	"context"
	"syscall"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// A Description says what a backend is, for lists and for people.
type Description struct {
	Key     string // the method: [a-z][a-z0-9_]{0,31}
	Summary string // one line
	Status  string // "stable", "experimental" or "blocked"; empty is stable

	// Schema is a JSON Schema of the options, an object with a property for
	// each: the host refuses a Spec that does not fit, with all its mistakes,
	// before the backend is asked, and hatchery explain shows them. Empty
	// leaves all that to the backend. See docs/writing-a-backend.md for what
	// of JSON Schema counts.
	Schema string

	// Claims are what children can have, by the names of the abilities of
	// package backendtest ("programs", "umask" …), or "none": what the
	// conformance kit holds the backend to, and what it has to refuse. Empty
	// claims everything.
	Claims []string

	// Reason, Alternative, Analysis and Scenario explain a method that is
	// blocked: why it cannot work, the key to use instead, the document with
	// the evidence, and the smoke test that shows it, if there is one.
	Reason, Alternative, Analysis, Scenario string
}

// A Backend is a spawn method. It is a [Planner] or a [Spawner] as well, and
// may be a [Prober] and a [Closer]. Its methods are called at the same time.
type Backend interface {
	// Describe returns always the same, and starts nothing.
	Describe() Description
}

// A Planner is a backend for local processes.
type Planner interface {
	Backend
	// Plan turns s into the steps by which the keeper makes the child. The
	// files of s are not here: s.OpenFiles says which there are. ctx ends
	// when the caller has given up.
	//
	// The plan's own files are closed once it has been sent, except those of
	// a reusable plan, which stay the backend's.
	Plan(ctx context.Context, s *spawn.Spec) (*spawn.Plan, error)
}

// A Spawner is a backend whose children are not local processes.
type Spawner interface {
	Backend
	// Spawn starts a child. s.Files are open here until Spawn returns, and
	// closed then: what is needed longer is duplicated. When ctx ends before
	// Spawn has returned, nobody wants the child any more.
	Spawn(ctx context.Context, s *spawn.Spec) (Child, error)
}

// A Child is what a Spawner has started.
type Child interface {
	// Wait waits for the end of the child. It is called once.
	Wait() spawn.ExitStatus
	// Signal sends sig to the child. SIGKILL is what ends a child that the
	// host has no use for any more.
	Signal(sig syscall.Signal) error
}

// A Prober can tell whether its method works on this machine, by trying it.
type Prober interface {
	// Probe returns nil, or an error of kind [spawn.ErrUnavailable] that
	// names what is needed and what was found.
	Probe(ctx context.Context) error
}

// A Closer holds resources that must be released.
type Closer interface {
	// Close is called once, when the backend is to end: ctx ends with the
	// time it has. Plans may still be under way.
	Close(ctx context.Context) error
}

// Unimplemented is embedded by backends so that they go on compiling when an
// ability is added to the required ones. It is a [Planner] that refuses every
// Spec with [spawn.ErrNotImplemented].
type Unimplemented struct{}

// Plan refuses.
func (Unimplemented) Plan(context.Context, *spawn.Spec) (*spawn.Plan, error) {
	return nil, &spawn.Error{Kind: spawn.ErrNotImplemented, Msg: "this backend makes no plans"}
}
