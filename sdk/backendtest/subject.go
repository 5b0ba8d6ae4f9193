package backendtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/sdk"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A Subject is a backend in one of the ways in which it can be run.
type Subject struct {
	way     string
	entry   registry.Entry
	planner sdk.Planner // called in this process; nil when a plugin serves it

	// start replaces how children are started, in tests of the kit.
	start func(ctx context.Context, e *Env, spec spawn.Spec) (*host.Process, error)

	mu    sync.Mutex
	found abilities      // what the kit found; nil before it looked
	said  registry.Entry // what the method says of itself, as found
}

// InProcess returns the way in which the functions of a planner are called in
// this process, and what it planned is executed by the keeper of a host.
func InProcess(p sdk.Planner) *Subject {
	return &Subject{way: "inprocess", entry: sdk.Entry(p), planner: p}
}

// Served returns the way in which a plugin process serves the backend: the one
// of a built-in method that was given to host.Init (or [Main]), or a plugin
// binary, whose entry has no more than Key and Path.
func Served(e registry.Entry) *Subject {
	way := "plugin"
	if !e.Builtin() {
		way = "binary"
	}
	return &Subject{way: way, entry: e}
}

// Way returns the name of the way: inprocess, plugin or binary.
func (s *Subject) Way() string { return s.way }

// Key returns the method's name.
func (s *Subject) Key() string { return string(s.entry.Key) }

// Cases returns the cases that apply: whose needs the backend claims or the kit
// found it to have. The error is of kind spawn.ErrUnavailable when the method
// says that it does not work on this machine, and else what starting it failed
// with.
func (s *Subject) Cases(ctx context.Context, o Options) ([]Case, error) {
	has, _, err := s.abilities(ctx, o)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(Cases(), func(c Case) bool { return !has.all(c.Needs) }), nil
}

// abilities returns what is claimed and what is found, and what the method says
// of itself. A blocked one claims nothing, whatever the options say.
func (s *Subject) abilities(ctx context.Context, o Options) (abilities, registry.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.found == nil {
		if err := s.look(ctx, o); err != nil {
			return nil, registry.Entry{}, err
		}
	}
	has := slices.Clone(s.found)
	if has.has(Blocked) {
		return has, s.said, nil
	}
	if o.Claims == nil {
		o.Claims = ClaimsOf(s.said)
	}
	if o.Claims == nil {
		return append(has, Abilities()...), s.said, nil
	}
	for _, c := range o.Claims {
		if !slices.Contains(Abilities(), c) {
			return nil, s.said, fmt.Errorf("backendtest: %q cannot be claimed: want one of %q", c, Abilities())
		}
	}
	return append(has, o.Claims...), s.said, nil
}

// look finds out what is not claimed, on a host of its own.
func (s *Subject) look(ctx context.Context, o Options) error {
	h, err := s.openHost()
	if err != nil {
		return err
	}
	defer h.Close()
	said, err := s.describe(ctx, h)
	if err != nil {
		return err
	}
	var found abilities
	if s.planner == nil {
		found = append(found, Plugin)
	}
	if said.Status == registry.Blocked {
		s.found, s.said = append(found, Blocked), said
		return nil
	}
	if err := s.probe(ctx, h); err != nil {
		return err
	}
	found = append(found, Works)
	plan, err := s.plan(ctx, h, o.settled(spawn.Spec{Path: "/"}))
	if err == nil && !plan.Reusable {
		plan.CloseFiles()
	}
	if !errors.Is(err, errors.ErrUnsupported) {
		found = append(found, Plans)
	}
	s.found, s.said = found, said
	return nil
}

// describe returns the entry of the method with what it says of itself.
func (s *Subject) describe(ctx context.Context, h *host.Host) (registry.Entry, error) {
	if s.planner != nil {
		return sdk.Entry(s.planner), nil
	}
	return h.Describe(ctx, s.Key())
}

func (s *Subject) probe(ctx context.Context, h *host.Host) error {
	if s.planner == nil {
		return h.Probe(ctx, s.Key())
	}
	if p, ok := s.planner.(sdk.Prober); ok {
		return s.complete(p.Probe(ctx), spawn.PhaseSelect)
	}
	return nil
}

// plan returns what the backend makes of a Spec.
func (s *Subject) plan(ctx context.Context, h *host.Host, spec spawn.Spec) (*spawn.Plan, error) {
	if s.planner == nil {
		return h.Plan(ctx, s.Key(), spec)
	}
	sent, err := overTheWire(&spec)
	if err != nil {
		return nil, err
	}
	p, err := s.planner.Plan(ctx, sent)
	return p, s.complete(err, spawn.PhasePlan)
}

// overTheWire returns the Spec as a plugin would get it: without its files, of
// which only the numbers are known, and with memory of its own.
func overTheWire(spec *spawn.Spec) (*spawn.Spec, error) {
	b, err := spec.AppendBinary(nil)
	if err != nil {
		return nil, err
	}
	out := new(spawn.Spec)
	return out, out.UnmarshalBinary(b)
}

// complete fills in what sdk.Main fills in.
func (s *Subject) complete(err error, phase spawn.Phase) error {
	if err == nil {
		return nil
	}
	e := *spawn.AsError(err)
	if e.Key == "" {
		e.Key = s.Key()
	}
	if e.Phase == "" {
		e.Phase = phase
	}
	return &e
}
