//go:build linux

package backendtest

import (
	"context"
	"os"
	"sync/atomic"
	"syscall"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/sdk"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A saboteur breaks a promise.
type saboteur struct {
	name    string
	breaks  []string // the cases that must fail on it
	says    string   // in what they say
	backend sdk.Backend
	served  bool // by a plugin process
	options Options
	root    bool // it can only be caught by root
	fair    bool // every other case must pass

	// start sabotages the start, where no plan could.
	start func(ctx context.Context, e *Env, spec spawn.Spec) (*host.Process, error)
}

// honest is what the saboteurs pretend to be: a planner that keeps all
// promises.
type honest struct{}

func (honest) Describe() sdk.Description {
	return sdk.Description{Key: "honest", Summary: "what forkexec does"}
}

func (honest) Plan(_ context.Context, s *spawn.Spec) (*spawn.Plan, error) {
	if len(s.Options) > 0 {
		return nil, &spawn.Error{Kind: spawn.ErrBadOption, Msg: s.Options[0].Key + ": it has no options"}
	}
	return spawn.Standard(s), nil
}

// A planner is honest but for what is set.
type planner struct {
	describe func(*sdk.Description)
	spoil    func(s *spawn.Spec, p *spawn.Plan)
	plan     func(ctx context.Context, s *spawn.Spec) (*spawn.Plan, error)
}

func (b planner) Describe() sdk.Description {
	d := honest{}.Describe()
	d.Key = "saboteur"
	if b.describe != nil {
		b.describe(&d)
	}
	return d
}

func (b planner) Plan(ctx context.Context, s *spawn.Spec) (*spawn.Plan, error) {
	if b.plan != nil {
		return b.plan(ctx, s)
	}
	p, err := honest{}.Plan(ctx, s)
	if err == nil && b.spoil != nil {
		b.spoil(s, p)
	}
	return p, err
}

// named returns a describe that sets the key, as backends that are served need
// one each.
func named(key string) func(*sdk.Description) {
	return func(d *sdk.Description) { d.Key = key }
}

// spoiled returns a planner whose plans are spoiled.
func spoiled(f func(s *spawn.Spec, p *spawn.Plan)) planner { return planner{spoil: f} }

// without returns a planner that leaves out all steps of the given kinds.
func without(ops ...spawn.Op) planner {
	return spoiled(func(_ *spawn.Spec, p *spawn.Plan) {
		var kept []spawn.Step
		for _, s := range p.Steps {
			drop := false
			for _, op := range ops {
				drop = drop || s.Op == op
			}
			if !drop {
				kept = append(kept, s)
			}
		}
		p.Steps = kept
	})
}

// inserting returns a planner that adds steps before the exec.
func inserting(steps ...spawn.Step) planner {
	return spoiled(func(_ *spawn.Spec, p *spawn.Plan) { p.Insert(steps...) })
}

// another returns a planner whose children are all of one program.
func another(path string) planner {
	return spoiled(func(_ *spawn.Spec, p *spawn.Plan) { p.Steps[len(p.Steps)-1] = spawn.Exec(spawn.Str(path)) })
}

// tampering returns a start that changes the Spec first.
func tampering(f func(*spawn.Spec)) func(context.Context, *Env, spawn.Spec) (*host.Process, error) {
	return func(ctx context.Context, e *Env, spec spawn.Spec) (*host.Process, error) {
		spec.Args = append([]string(nil), spec.Args...)
		f(&spec)
		return e.startBy(ctx, spec)
	}
}

// script changes the script of a shell.
func script(f func(string) string) func(*spawn.Spec) {
	return func(s *spawn.Spec) {
		if len(s.Args) > 2 {
			s.Args[2] = f(s.Args[2])
		}
	}
}

// everyNth returns a function that is true every nth time.
func everyNth(n int64) func() bool {
	var count atomic.Int64
	return func() bool { return count.Add(1)%n == 0 }
}

// leakDescriptor opens something and forgets it.
func leakDescriptor() { syscall.Open(os.DevNull, syscall.O_RDONLY|syscall.O_CLOEXEC, 0) }

// blocked is a stub that refuses as it should.
func blockedDescription(d *sdk.Description) {
	d.Status, d.Reason, d.Alternative, d.Analysis = "blocked", "it cannot work", "honest", "docs/analysis/saboteur.md"
}

func refusal() *spawn.Error {
	var d sdk.Description
	blockedDescription(&d)
	return &spawn.Error{
		Key: "saboteur", Phase: spawn.PhasePlan, Kind: spawn.ErrNotImplemented,
		Blocked: &spawn.Blocked{Reason: d.Reason, Alternative: d.Alternative, Analysis: d.Analysis},
	}
}

// stub returns a blocked method that does as f says.
func stub(f func(s *spawn.Spec) (*spawn.Plan, error)) planner {
	return planner{describe: blockedDescription, plan: func(_ context.Context, s *spawn.Spec) (*spawn.Plan, error) { return f(s) }}
}
