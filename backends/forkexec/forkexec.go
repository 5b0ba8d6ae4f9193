package forkexec

import (
	"context"

	"github.com/hatchery-spawn/hatchery/backends/forkexec/plan"
	"github.com/hatchery-spawn/hatchery/sdk"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// Key is the method's name.
const Key = plan.Key

// A Backend makes the plans of an ordinary child. It has no state.
type Backend struct{ sdk.Unimplemented }

var _ sdk.Planner = Backend{}

// New returns the backend.
func New() Backend { return Backend{} }

// Describe says what the method is.
func (Backend) Describe() sdk.Description {
	return sdk.Description{
		Key:     Key,
		Summary: "fork and exec, as package os/exec does it; isolates nothing",
		Status:  "stable",
		Schema:  `{"additionalProperties": false}`, // none
	}
}

// Plan returns the standard plan, and refuses options: see [plan.Make].
func (Backend) Plan(_ context.Context, s *spawn.Spec) (*spawn.Plan, error) { return plan.Make(s) }
