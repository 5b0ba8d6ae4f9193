package sdk

import (
	"context"
	"sync"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/failpoint"
	"github.com/hatchery-spawn/hatchery/internal/wire"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A served is a backend as package wire sees it: the calls of the control
// connection and the work of the plan lane.
type served struct {
	backend Backend
	key     string

	ready chan struct{} // closed when the host is connected
	once  sync.Once     // closes the backend
	err   error         // what that returned; valid after once
}

var (
	_ wire.Control     = (*served)(nil)
	_ wire.LaneHandler = (*served)(nil)
)

func newServed(b Backend) *served {
	return &served{backend: b, key: b.Describe().Key, ready: make(chan struct{})}
}

// hosted lets the work begin. Until the host is connected, os.Stdout is not
// the backend's.
func (s *served) hosted() {
	failpoint.Pass(failpoint.PluginConnected)
	close(s.ready)
}

// Describe answers the host's first call.
func (s *served) Describe(context.Context) (wire.Description, error) {
	d := s.backend.Describe()
	out := wire.Description{
		Key: d.Key, Summary: d.Summary, Status: d.Status, OptionsSchema: d.Schema,
		Reason: d.Reason, Alternative: d.Alternative, Analysis: d.Analysis, Scenario: d.Scenario,
	}
	if out.Status == "" {
		out.Status = "stable"
	}
	// A Spawner that embeds Unimplemented would pass for a Planner too.
	if _, ok := s.backend.(Spawner); ok {
		out.Features = []string{wire.FeatureSpawner}
	} else if _, ok := s.backend.(Planner); ok {
		out.Features = []string{wire.FeaturePlanner}
	}
	for _, c := range d.Claims {
		out.Features = append(out.Features, wire.FeatureCan+c)
	}
	return out, nil
}

// Probe asks the backend; one that cannot tell works.
func (s *served) Probe(ctx context.Context) error {
	p, ok := s.backend.(Prober)
	if !ok {
		return nil
	}
	return s.complete(p.Probe(ctx), spawn.PhaseSelect)
}

// Shutdown closes the backend.
func (s *served) Shutdown(ctx context.Context) error {
	failpoint.Pass(failpoint.PluginShutdown)
	return s.complete(s.close(ctx), spawn.PhaseStop)
}

// close closes the backend, once.
func (s *served) close(ctx context.Context) error {
	s.once.Do(func() {
		if c, ok := s.backend.(Closer); ok {
			s.err = c.Close(ctx)
		}
	})
	return s.err
}

// closeWithin closes the backend and leaves it behind when that takes longer
// than limit: the process is about to end.
func (s *served) closeWithin(limit time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	over := make(chan struct{})
	go func() { // waited for here, or left to the end of the process
		defer close(over)
		s.close(ctx)
	}()
	select {
	case <-over:
	case <-ctx.Done():
	}
}

// Plan asks the backend.
func (s *served) Plan(ctx context.Context, spec *spawn.Spec) (*spawn.Plan, error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	b, ok := s.backend.(Planner)
	if !ok {
		return nil, s.lacks("plans")
	}
	if err := failpoint.Fail(failpoint.PluginSpec); err != nil {
		return nil, s.complete(err, spawn.PhasePlan)
	}
	p, err := b.Plan(ctx, spec)
	failpoint.Pass(failpoint.PluginAnswer)
	return p, s.complete(err, spawn.PhasePlan)
}

// Spawn asks the backend.
func (s *served) Spawn(ctx context.Context, spec *spawn.Spec) (wire.LaneChild, error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	b, ok := s.backend.(Spawner)
	if !ok {
		return nil, s.lacks("children of its own")
	}
	c, err := b.Spawn(ctx, spec)
	if err != nil {
		return nil, s.complete(err, spawn.PhasePlan)
	}
	if c == nil {
		return nil, nil // not c: a nil Child must stay nil as another interface
	}
	return c, nil
}

// begin waits until the host is connected.
func (s *served) begin(ctx context.Context) error {
	select {
	case <-s.ready:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *served) lacks(what string) error {
	return s.complete(&spawn.Error{Kind: spawn.ErrProtocol, Msg: "this backend makes no " + what}, spawn.PhasePlan)
}

// complete fills in the method and the phase where the backend left them out.
// The error may be one that the backend returns every time: it is copied.
func (s *served) complete(err error, phase spawn.Phase) error {
	if err == nil {
		return nil
	}
	e := *spawn.AsError(err)
	if e.Key == "" {
		e.Key = s.key
	}
	if e.Phase == "" {
		e.Phase = phase
	}
	return &e
}
