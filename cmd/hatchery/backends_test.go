package main

import (
	"context"

	"github.com/hatchery-spawn/hatchery/sdk"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// careful is a backend as somebody else would write one.
type careful struct{ sdk.Unimplemented }

func (careful) Describe() sdk.Description {
	return sdk.Description{Key: "careful", Summary: "forkexec without setuid programs", Status: "experimental"}
}

func (careful) Plan(_ context.Context, s *spawn.Spec) (*spawn.Plan, error) {
	if v, ok := s.Option("mood"); ok && v != "good" {
		return nil, &spawn.Error{Kind: spawn.ErrBadOption, Msg: "mood=" + v + ": want good"}
	}
	p := spawn.Standard(s)
	p.Insert(spawn.NoNewPrivs())
	return p, nil
}

// homesick is a backend that does not work here.
type homesick struct{ sdk.Unimplemented }

func (homesick) Describe() sdk.Description {
	return sdk.Description{Key: "homesick", Summary: "works elsewhere"}
}

func (homesick) Probe(context.Context) error {
	return &spawn.Error{Kind: spawn.ErrUnavailable, Msg: "needs the sea: found none in /proc"}
}

// stub is a blocked method that is not built in.
type stub struct{ sdk.Unimplemented }

func (stub) Describe() sdk.Description {
	return sdk.Description{
		Key: "stub", Summary: "a wish", Status: "blocked",
		Reason: "nobody knows how", Alternative: "forkexec", Analysis: "docs/analysis/stub.md",
	}
}

func (s stub) Plan(context.Context, *spawn.Spec) (*spawn.Plan, error) {
	d := s.Describe()
	return nil, &spawn.Error{Kind: spawn.ErrNotImplemented,
		Blocked: &spawn.Blocked{Reason: d.Reason, Alternative: d.Alternative, Analysis: d.Analysis}}
}
