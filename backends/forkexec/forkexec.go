package forkexec

import (
	"context"
	"fmt"

	"github.com/hatchery-spawn/hatchery/sdk"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// Key is the method's name.
const Key = "forkexec"

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
	}
}

// Plan returns the standard plan. The method has no options: one that is given
// is an error, as it would be ignored otherwise.
func (Backend) Plan(_ context.Context, s *spawn.Spec) (*spawn.Plan, error) {
	if len(s.Options) > 0 {
		return nil, &spawn.Error{
			Key: Key, Phase: spawn.PhasePlan, Kind: spawn.ErrBadOption,
			Msg: fmt.Sprintf("%q: %s takes no options", s.Options[0].Key, Key),
		}
	}
	return spawn.Standard(s), nil
}
