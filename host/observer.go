package host

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// An Observer is told what a host does, while it does it: see Config.Observer.
// Package host/telemetry has one that makes traces and metrics of it.
//
// Its methods are called concurrently. Begin, and the End of what it returns, are
// called by whoever does the work, which they hold up, with one exception: the end of a
// child's life is told, as events are, beside the host. None of them may call methods of
// the host or of its processes.
type Observer interface {
	// Begin is called when an operation begins. It returns the context for what is done
	// within it, which is ctx or made from it, and who is told of its end: not nil.
	Begin(ctx context.Context, op Operation) (context.Context, Observation)

	// Event is told of all that Config.OnEvent is told of, by itself.
	Event(Event)
}

// An EnvironObserver is an Observer that has something to say to children.
type EnvironObserver interface {
	Observer
	// Environ returns variables, as NAME=value, for the child of the spawn that
	// ctx is from: see Begin. A variable that the caller has given for the
	// child stays as it is; one that it would only inherit from the host does not.
	Environ(ctx context.Context) []string
}

// An Observation is told how an operation has ended, once.
type Observation interface {
	End(Outcome)
}

// An OperationKind says what a host does.
type OperationKind string

// The kinds of operations.
const (
	// OpPluginStart is the start of a plugin, from the making of its process to its
	// first answer. It is within the plan, or whatever else, that it was started for.
	OpPluginStart OperationKind = "plugin start"
	// OpPlan is the asking of a plugin for a plan. Most spawns need none: see
	// docs/architecture.md, The plan cache.
	OpPlan OperationKind = "plan"
	// OpSpawn is a start of a child, from the call to the exec or the failure.
	OpSpawn OperationKind = "spawn"
	// OpWait is the life of a child, from the end of its spawn, which it is within,
	// to its exit. A detached child has none.
	OpWait OperationKind = "wait"
	// OpStop is a stop of a child, by Process.Stop, a nursery or Close.
	OpStop OperationKind = "stop"
)

// An Operation is what begins.
type Operation struct {
	Kind   OperationKind
	Method registry.SpawnMethodKey // empty for a child of StartPlan
	Path   string                  // of the child's program, or of a plugin's binary, empty if that is built in
	Pid    int                     // of the child, for OpWait and OpStop; 0 if it is no local process
	Began  time.Time               // not always the moment in which the beginning is told

	Detached bool        // OpSpawn: the child is to outlive the host
	Restart  bool        // OpPluginStart: the plugin has failed before
	Child    Observation // OpStop: that of the child's life, or nil
}

// An Outcome is how an operation has ended.
type Outcome struct {
	// Ended is when, and not before it began: not always the moment in which the end is
	// told.
	Ended time.Time
	// Err is nil if it has succeeded. The life of a child has failed only if its status
	// is lost.
	Err error
	// Pid is the process that was made by OpSpawn or OpPluginStart, or 0.
	Pid int
	// Warm says of OpSpawn what Process.Warm does.
	Warm bool
	// Status is how the child has ended, of OpWait, and of OpStop if it has.
	Status spawn.ExitStatus
	// Forced says of OpWait and OpStop that the child was killed because it did not end
	// when it was asked to.
	Forced bool
}

// observe begins an operation, if anybody wants to know. The Observation is nil if not.
func (h *Host) observe(ctx context.Context, op Operation) (context.Context, Observation) {
	if h.cfg.Observer == nil {
		return ctx, nil
	}
	if op.Began.IsZero() {
		op.Began = time.Now()
	}
	return h.cfg.Observer.Begin(ctx, op)
}

// observed ends what observe has begun.
func observed(o Observation, err error) {
	if o != nil {
		o.End(Outcome{Ended: time.Now(), Err: err})
	}
}

// observeSpawn begins the start of a child.
func (h *Host) observeSpawn(ctx context.Context, key registry.SpawnMethodKey, path string) (context.Context, Observation) {
	return h.observe(ctx, Operation{Kind: OpSpawn, Method: key, Path: path})
}

// spawned ends what observeSpawn has begun, and begins the life of the child if there
// is one.
func (h *Host) spawned(ctx context.Context, o Observation, p *Process, path string, ended time.Time, err error) {
	if o == nil {
		return
	}
	out := Outcome{Ended: ended, Err: err}
	if p != nil {
		out.Pid, out.Warm = p.pid, p.warm
	}
	o.End(out)
	if p == nil {
		return
	}
	_, life := h.observe(ctx, Operation{Kind: OpWait, Method: p.key, Path: path, Pid: p.pid, Began: ended})
	p.mu.Lock()
	p.life = life
	p.mu.Unlock()
	p.afterExit(func() { h.told.add(lifeEnded{p, life, ended}) })
}

// lifeEnded is told among the events, as nobody may wait where an exit is noted.
type lifeEnded struct {
	process *Process
	life    Observation
	began   time.Time
}

func (lifeEnded) event() {}

func (e lifeEnded) end() {
	status, err := e.process.Wait() // it has ended
	at := status.Time
	switch {
	case at.IsZero():
		at = time.Now()
	case at.Before(e.began): // it was gone before its start had been told
		at = e.began
	}
	e.life.End(Outcome{Ended: at, Err: err, Status: status, Forced: e.process.Forced()})
}

// tellObserver returns what tells an observer of events, or nil.
func tellObserver(o Observer) func(Event) {
	if o == nil {
		return nil
	}
	return func(e Event) {
		if life, ok := e.(lifeEnded); ok {
			life.end()
			return
		}
		o.Event(e)
	}
}

// tell tells everybody of an event.
func (h *Host) tell(e Event) {
	h.events.add(e)
	h.told.add(e)
}

// observeStop begins the stop of a child.
func (p *Process) observeStop(ctx context.Context) Observation {
	if p.host.cfg.Observer == nil {
		return nil
	}
	p.mu.Lock()
	life := p.life
	p.mu.Unlock()
	_, o := p.host.observe(ctx, Operation{Kind: OpStop, Method: p.key, Pid: p.pid, Child: life})
	return o
}

// stopped ends what observeStop has begun.
func (p *Process) stopped(o Observation, status spawn.ExitStatus, err error) {
	if o != nil {
		o.End(Outcome{Ended: time.Now(), Err: err, Status: status, Forced: p.Forced()})
	}
}

// addEnviron adds what an observer has to say to the environment of a child, which is
// complete. given says that the caller has given it.
func (h *Host) addEnviron(ctx context.Context, spec *spawn.Spec, given bool) {
	o, ok := h.cfg.Observer.(EnvironObserver)
	if !ok {
		return
	}
	vars := o.Environ(ctx)
	if len(vars) == 0 {
		return
	}
	has := func(list []string, kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return slices.ContainsFunc(list, func(s string) bool { return strings.HasPrefix(s, name+"=") })
	}
	env := spec.Env
	if given {
		vars = slices.DeleteFunc(slices.Clone(vars), func(kv string) bool { return has(env, kv) })
	} else {
		env = slices.DeleteFunc(slices.Clone(env), func(kv string) bool { return has(vars, kv) })
	}
	spec.Env = append(env[:len(env):len(env)], vars...)
}
