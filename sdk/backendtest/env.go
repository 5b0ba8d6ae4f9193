package backendtest

import (
	"context"
	"slices"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// An Env is where a case runs: a host that nobody else uses, and the backend in
// one of the ways.
type Env struct {
	// Host is open until the case and its cleanups are over.
	Host *host.Host
	// Entry is the method, with what it says of itself.
	Entry registry.Entry
	// Heavy is that of [Options].
	Heavy bool

	subject *Subject
	options Options
	has     abilities
}

// grace is what a child has between SIGTERM and SIGKILL in the hosts of the
// kit; patience bounds what must happen some time; soon bounds what must happen
// within a second, with something on top for a machine that is busy.
const (
	grace    = 400 * time.Millisecond
	patience = 10 * time.Second
	soon     = 3 * time.Second
)

// Has reports whether the backend claims an ability, or was found to have it.
func (e *Env) Has(a Ability) bool { return e.has.has(a) }

// Key returns the method's name.
func (e *Env) Key() string { return e.subject.Key() }

// Start starts a child by the backend, with the settings that every Spec has.
func (e *Env) Start(ctx context.Context, spec spawn.Spec) (*host.Process, error) {
	spec = e.options.settled(spec)
	if e.subject.start != nil {
		return e.subject.start(ctx, e, spec)
	}
	return e.startBy(ctx, spec)
}

func (e *Env) startBy(ctx context.Context, spec spawn.Spec) (*host.Process, error) {
	s := e.subject
	if s.planner == nil {
		return e.Host.StartMethod(ctx, s.Key(), spec)
	}
	if !e.Has(Blocked) { // which refuses whatever it is asked
		if err := spec.Validate(); err != nil {
			return nil, err
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, &spawn.Error{Kind: spawn.ErrCanceled, Phase: spawn.PhasePlan, Err: err}
	}
	plan, err := s.plan(ctx, e.Host, spec)
	if err != nil {
		return nil, err
	}
	return e.Host.StartPlan(ctx, plan, spec)
}

// Plan returns what the backend makes of a Spec. Served by a plugin, the plan
// has the host's steps for what is inherited too. The files of a plan that is
// not reusable are the caller's to close.
func (e *Env) Plan(ctx context.Context, spec spawn.Spec) (*spawn.Plan, error) {
	return e.subject.plan(ctx, e.Host, e.options.settled(spec))
}

// settled returns a Spec with the settings that every Spec has.
func (o Options) settled(spec spawn.Spec) spawn.Spec {
	if o.Shell != "" && spec.Path == shell {
		spec.Path = o.Shell
	}
	if len(o.Settings) > 0 {
		spec.Options = slices.Concat(o.Settings, spec.Options)
	}
	return spec
}

// Another returns an Env of the same backend with another host, and so with
// another keeper and another plugin.
func (e *Env) Another(t T) *Env {
	t.Helper()
	return e.subject.open(t, e.options)
}

// open opens the Env of a case. It is closed by a cleanup of t.
func (s *Subject) open(t T, o Options) *Env {
	t.Helper()
	has, said, err := s.abilities(t.Context(), o)
	if err != nil {
		t.Fatalf("%v", err)
	}
	h, err := s.openHost()
	if err != nil {
		t.Fatalf("open a host: %v", err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Errorf("closing the host: %v", err)
		}
	})
	return &Env{Host: h, Entry: said, Heavy: o.Heavy, subject: s, options: o, has: has}
}

func (s *Subject) openHost() (*host.Host, error) {
	r, err := registry.New(s.entry)
	if err != nil {
		return nil, err
	}
	return host.Open(host.Config{Registry: r, Method: s.entry.Key, Timeouts: host.Timeouts{Grace: grace}})
}
