package main

import (
	"context"

	"github.com/hatchery-spawn/hatchery/sdk"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// quiet is a method of this program: children that stand back behind others.
type quiet struct{ sdk.Unimplemented }

// Describe says what lists show.
func (quiet) Describe() sdk.Description {
	return sdk.Description{Key: "quiet", Summary: "children at the lowest priority"}
}

// Plan is that of an ordinary child, with one step more.
func (quiet) Plan(_ context.Context, s *spawn.Spec) (*spawn.Plan, error) {
	if len(s.Options) > 0 {
		return nil, &spawn.Error{Kind: spawn.ErrBadOption, Msg: s.Options[0].Key + ": quiet has no options"}
	}
	p := spawn.Standard(s)
	p.Insert(spawn.Priority(19))
	return p, nil
}
