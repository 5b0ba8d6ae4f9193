// Package plan is what the method "forkexec" makes of a Spec.
//
//	p, err := plan.Make(&spec)
//
// It stands apart from the backend, which package sdk is a part of, so that it
// can be had before the program is initialised: see backends/early. It does
// nothing but look at the Spec.
package plan

import (
	"fmt"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// Key is the method's name.
const Key = "forkexec"

// Make returns the standard plan. The method has no options: one that is given
// is an error, as it would be ignored otherwise.
func Make(s *spawn.Spec) (*spawn.Plan, error) {
	if len(s.Options) > 0 {
		return nil, &spawn.Error{
			Key: Key, Phase: spawn.PhasePlan, Kind: spawn.ErrBadOption,
			Msg: fmt.Sprintf("%q: %s takes no options", s.Options[0].Key, Key),
		}
	}
	return spawn.Standard(s), nil
}
