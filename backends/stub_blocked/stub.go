package stub_blocked

import (
	"context"

	"github.com/hatchery-spawn/hatchery/sdk"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A Backend refuses to make plans, and says why. It has no state.
type Backend struct{ description sdk.Description }

var _ sdk.Planner = Backend{}

// GoFork returns the method "go_fork".
func GoFork() Backend {
	return Backend{sdk.Description{
		Key:         "go_fork",
		Summary:     "fork of a live Go runtime, without exec",
		Status:      "blocked",
		Reason:      "only the thread that calls fork exists in the child: the garbage collector, other goroutines and timers wait for threads that are gone, for ever",
		Alternative: "forkexec",
		Analysis:    "docs/analysis/go_fork.md",
		Scenario:    "control_go_fork_gc",
	}}
}

// Goroutine returns the method "goroutine".
func Goroutine() Backend {
	return Backend{sdk.Description{
		Key:         "goroutine",
		Summary:     `a "child" that is a goroutine on a locked thread of the host`,
		Status:      "blocked",
		Reason:      "a goroutine cannot be killed, limited or waited for as a process can, and its crash is the host's",
		Alternative: "forkexec",
		Analysis:    "docs/analysis/goroutine.md",
		Scenario:    "control_goroutine_kill",
	}}
}

// Describe says what the method would be and why it is blocked.
func (b Backend) Describe() sdk.Description { return b.description }

// Plan refuses, whatever it is asked.
func (b Backend) Plan(context.Context, *spawn.Spec) (*spawn.Plan, error) {
	d := b.description
	return nil, &spawn.Error{
		Key: d.Key, Phase: spawn.PhasePlan, Kind: spawn.ErrNotImplemented,
		Blocked: &spawn.Blocked{Reason: d.Reason, Alternative: d.Alternative, Analysis: d.Analysis, Scenario: d.Scenario},
	}
}
