package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/failpoint"
	"github.com/hatchery-spawn/hatchery/internal/keeper"
	"github.com/hatchery-spawn/hatchery/internal/wire"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// Start starts a child by the selected method and returns when it has become
// its program. ctx bounds the start only, together with Timeouts.Spawn; when
// it ends before the child is the program, nothing is left running. The child
// lives until it ends, is stopped, or the host is closed.
//
// The errors are those of os/exec to errors.Is, and *spawn.Error to errors.As.
// The files of the Spec stay the caller's and may be closed on return.
func (h *Host) Start(ctx context.Context, spec spawn.Spec) (*Process, error) {
	return h.StartMethod(ctx, string(h.Selected()), spec)
}

// StartMethod is Start by the method of the given key, whichever is selected.
func (h *Host) StartMethod(ctx context.Context, key string, spec spawn.Spec) (*Process, error) {
	return h.startMethod(ctx, key, spec, os.Environ)
}

// startMethod is StartMethod with environ as the host's environment.
func (h *Host) startMethod(ctx context.Context, key string, spec spawn.Spec, environ func() []string) (*Process, error) {
	m, bounded, done, err := h.begin(ctx, key)
	if err != nil {
		return nil, err
	}
	defer done()
	defer m.waiting(waitSpawn, spec.Path, until(bounded)).end()
	bounded, o := h.observeSpawn(bounded, m.entry.Key, spec.Path)
	p, err := h.start(bounded, m, &spec, environ)
	if errors.Is(err, spawn.ErrCanceled) && ctx.Err() == nil {
		err = &spawn.Error{Kind: spawn.ErrClosed, Phase: spawn.PhaseStart, Msg: "it was closed while the child was being started"}
	}
	if err != nil {
		p, err = nil, withKey(err, m.entry.Key)
	}
	if o != nil {
		h.spawned(bounded, o, p, spec.Path, time.Now(), err) // the path has been looked up
	}
	return p, err
}

// begin begins a spawn by the method of the given key, which Close waits for
// until done is called.
func (h *Host) begin(ctx context.Context, key string) (m *method, bounded context.Context, done func(), err error) {
	e, err := h.registry.Lookup(key)
	if err != nil {
		return nil, nil, nil, err
	}
	leave, err := h.enter()
	if err != nil {
		return nil, nil, nil, err
	}
	bounded, cancel := h.spawnContext(ctx)
	return h.method(e), bounded, func() { cancel(); leave() }, nil
}

func (h *Host) start(ctx context.Context, m *method, spec *spawn.Spec, environ func() []string) (*Process, error) {
	given := spec.Env != nil
	plan, err := m.planFor(ctx, spec, environ)
	if err != nil {
		return nil, err
	}
	h.addEnviron(ctx, spec, given)
	if plan == nil {
		return m.spawnRemote(ctx, spec)
	}
	return h.launch(ctx, m.entry.Key, plan, spec)
}

// planFor returns the plan for a Spec, which it checks and completes: one that
// was made before for a Spec of the same shape or for the same command, or else the
// backend's. It is
// nil when the backend makes no plans because its children are not local.
//
// environ is the host's environment, for a Spec that has none. A plan can say
// that such a child has another.
func (m *method) planFor(ctx context.Context, spec *spawn.Spec, environ func() []string) (*cachedPlan, error) {
	if err := spec.Validate(); err != nil && !m.blocked(ctx) {
		return nil, err
	}
	shape := spec.Shape()
	key, err := shape.AppendBinary(nil)
	if err != nil {
		return nil, err
	}
	c := m.plans.get(string(key))
	var command string
	if c == nil {
		command = string(appendCommand(key, spec))
		c = m.plans.getKept(command, spec, environ, time.Now())
	}
	if c == nil {
		plan, err := m.ask(ctx, spec)
		switch {
		case err != nil:
			return nil, err
		case plan == nil: // where its children run, the host's environment may mean nothing
			return nil, nil
		}
		c = newCachedPlan(plan)
		switch {
		case plan.Reusable:
			m.plans.put(string(key), c)
		case keeps(plan):
			m.plans.putKept(command, c, spec, time.Now())
		}
	}
	if spec.Env == nil {
		spec.Env = c.plan.Environ(environ())
	}
	return c, nil
}

// blocked reports whether the method refuses whatever it is asked. Of a plugin
// binary that is not known before it says so: it is started if need be.
func (m *method) blocked(ctx context.Context) bool {
	if m.entry.Status != "" {
		return m.entry.Status == registry.Blocked
	}
	p, done, err := m.use(ctx)
	if err != nil {
		return false
	}
	defer done()
	return registry.Status(p.client.Description().Status) == registry.Blocked
}

// ask has the plugin make a plan. The plan is nil when the backend makes none.
func (m *method) ask(ctx context.Context, spec *spawn.Spec) (plan *spawn.Plan, err error) {
	ctx, o := m.host.observe(ctx, Operation{Kind: OpPlan, Method: m.entry.Key, Path: spec.Path})
	if o != nil {
		defer func() { observed(o, withKey(err, m.entry.Key)) }()
	}
	if m.entry.Status != registry.Blocked { // which refuses whatever it is asked
		if err := checkLength(spec); err != nil {
			return nil, err
		}
	}
	err = m.request(ctx, func(p *plugin) (dying bool, err error) {
		if err := p.fits(spec); err != nil || p.spawner {
			return false, err
		}
		defer m.waiting(waitPlan, spec.Path, until(ctx)).end()
		begin := time.Now()
		failpoint.Pass(failpoint.HostPlanAsk)
		plan, err = p.planner.Plan(ctx, spec)
		failpoint.Pass(failpoint.HostPlanAnswered)
		return errors.Is(err, wire.ErrUnread) || time.Since(begin) <= dyingTime, tooBig(err)
	})
	return plan, err
}

// tooBig makes E2BIG of a request that no lane can carry: no execve could
// either.
func tooBig(err error) error {
	if errors.Is(err, syscall.EMSGSIZE) {
		return &spawn.Error{Phase: spawn.PhaseExec, Op: "exec", Errno: syscall.E2BIG}
	}
	return err
}

// launch has the keeper execute a plan.
func (h *Host) launch(ctx context.Context, key registry.SpawnMethodKey, plan *cachedPlan, spec *spawn.Spec) (*Process, error) {
	if !plan.plan.Reusable {
		defer plan.plan.CloseFiles()
	}
	l, err := newLaunch(plan, spec)
	if err != nil {
		return nil, err
	}
	p, err := h.keep(ctx, l, plan, key)
	runtime.KeepAlive(spec)
	runtime.KeepAlive(plan)
	if err != nil {
		return nil, explainExec(err, spec)
	}
	return p, nil
}

// newLaunch returns what a keeper is asked to execute a plan for a Spec, whose
// program it looks up. Spec and plan have to stay alive as long as it is used.
func newLaunch(plan *cachedPlan, spec *spawn.Spec) (*keeper.Launch, error) {
	if err := resolve(spec); err != nil {
		return nil, err
	}
	dir := spec.Dir
	if plan.cwd && !filepath.IsAbs(dir) {
		cwd, err := os.Getwd()
		if err != nil {
			return nil, &spawn.Error{Phase: spawn.PhaseResolve, Op: "getcwd", Err: err, Msg: "the method needs a directory that has a path"}
		}
		dir = filepath.Join(cwd, dir)
	}
	open := spec.OpenFiles()
	l := &keeper.Launch{
		Path: spec.Path, Args: spec.Argv(), Env: spec.Env, Dir: dir,
		Files: open, FDs: make([]int, 0, len(open)+len(plan.plan.Files)),
	}
	for _, f := range plan.plan.Files {
		l.FDs = append(l.FDs, int(f.Fd()))
	}
	for _, n := range open {
		fd := int(spec.Files[n].Fd())
		if fd < 0 {
			return nil, &spawn.Error{Phase: spawn.PhaseResolve, Path: spec.Path, Errno: syscall.EBADF, Msg: fmt.Sprintf("the file for descriptor %d is closed", n)}
		}
		l.FDs = append(l.FDs, fd)
	}
	return l, nil
}

// keep has the keeper launch a child. A keeper that was gone before it could be
// asked costs nothing but a new one; what it was asked and did not answer is
// the caller's to know.
func (h *Host) keep(ctx context.Context, l *keeper.Launch, plan *cachedPlan, key registry.SpawnMethodKey) (*Process, error) {
	if p, done, err := h.launchHeld(ctx, l, plan, key); done {
		return p, err
	}
	for again := false; ; again = true {
		now := h.gather.now()
		k, err := h.keeping.use(now)
		if err != nil {
			return nil, err
		}
		p, err := h.launchBy(ctx, k, l, plan, now, key)
		h.keeping.done(k)
		if err == nil {
			return p, nil
		}
		var e *spawn.Error
		if again || !errors.As(err, &e) || e.Kind != spawn.ErrKeeperGone || e.Op != "send" {
			return nil, err
		}
		select {
		case <-k.Gone():
		case <-ctx.Done():
			return nil, err
		}
	}
}

// launchBy has a keeper launch a child of a host that has now.
func (h *Host) launchBy(ctx context.Context, k *kept, l *keeper.Launch, plan *cachedPlan, now inherited, key registry.SpawnMethodKey) (p *Process, err error) {
	if l.Plan, err = plan.encode(k.base, now); err != nil {
		return nil, err
	}
	p = newProcess(h, key) // of a try that failed, the end may be told yet
	p.notes = plan.plan.Notes
	w := h.awaitKeeper(ctx, l, key)
	started, err := k.Launch(ctx, l, p.exited)
	w.end()
	if err != nil {
		return nil, err
	}
	p.begin(k.Client, started)
	return p, nil
}

func (h *Host) awaitKeeper(ctx context.Context, l *keeper.Launch, key registry.SpawnMethodKey) *wait {
	return h.waits.begin(wait{name: waitKeeper, key: string(key), subject: l.Path, until: until(ctx)})
}

// Plan returns what Start would have executed, step by step, without doing
// it. A plan that the backend marks as reusable shares its files with the
// host; the files of any other plan are the caller's to close.
func (h *Host) Plan(ctx context.Context, key string, spec spawn.Spec) (*spawn.Plan, error) {
	m, ctx, done, err := h.begin(ctx, key)
	if err != nil {
		return nil, err
	}
	defer done()
	plan, err := m.planFor(ctx, &spec, os.Environ)
	switch {
	case err != nil:
		return nil, withKey(err, m.entry.Key)
	case plan == nil:
		return nil, &spawn.Error{Key: key, Phase: spawn.PhasePlan, Err: errors.ErrUnsupported, Msg: "its children are not local processes: it makes no plans"}
	}
	now := h.gather.now()
	k, err := h.keeping.use(now)
	if err != nil {
		return nil, withKey(err, m.entry.Key)
	}
	defer h.keeping.done(k)
	return withInherited(plan.plan, k.base, now), nil
}
