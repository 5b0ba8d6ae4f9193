package isolate

import (
	"context"

	"github.com/hatchery-spawn/hatchery/backends/isolate/plan"
	"github.com/hatchery-spawn/hatchery/sdk"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// Key is the method's name.
const Key = plan.Key

// A Backend makes the plans of children in sandboxes. It has no state.
type Backend struct{ sdk.Unimplemented }

var _ sdk.Planner = Backend{}

// New returns the backend.
func New() Backend { return Backend{} }

// Describe says what the method is.
func (Backend) Describe() sdk.Description {
	return sdk.Description{
		Key:     Key,
		Summary: "a sandbox: namespaces, a root of its own, no rights; Linux, without root",
		Status:  "stable",
		Schema:  plan.Schema(),
	}
}

// Plan returns the plan of a child in a sandbox: see [plan.MakeWith].
func (Backend) Plan(_ context.Context, s *spawn.Spec) (*spawn.Plan, error) {
	return plan.MakeWith(s, readProfile)
}
