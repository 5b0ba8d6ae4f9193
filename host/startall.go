package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/keeper"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// StartAll starts a child for each of specs by the selected method, and returns
// when each has become its program or failed. It is what a loop with
// [Host.Start] does, in less time for each child the more there are.
//
// The processes are in the order of specs, nil for each that could not be
// started. One that fails does not keep the others from being started: they run,
// and are the caller's, whatever the error says. The error is nil when all have
// been started, and else a *[BatchError], which has the error of each.
//
// ctx, together with Timeouts.Spawn, bounds the start of all of them. When it
// ends, those that are known to run by then go on running; of the others
// nothing is left. Specs that are equal but for Path, Dir and Args, and have one
// slice as Env, or none, and the same files, are the cheapest.
func (h *Host) StartAll(ctx context.Context, specs []spawn.Spec) ([]*Process, error) {
	return h.StartAllMethod(ctx, string(h.Selected()), specs)
}

// StartAllMethod is StartAll by the method of the given key, whichever is
// selected.
func (h *Host) StartAllMethod(ctx context.Context, key string, specs []spawn.Spec) ([]*Process, error) {
	procs, errs := h.startAll(ctx, key, specs)
	return procs, batchError(errs)
}

// A BatchError says which children of a StartAll could not be started.
type BatchError struct {
	// Errs has an error, or nil, for each child that was to be started, in the
	// order in which they were given.
	Errs []error
}

// Error counts the children that could not be started, and says why of the first.
func (e *BatchError) Error() string {
	failed := e.Unwrap()
	if len(failed) == 0 {
		return "no child failed"
	}
	first := slices.IndexFunc(e.Errs, func(err error) bool { return err != nil })
	return fmt.Sprintf("%d of %d children were not started; number %d: %v", len(failed), len(e.Errs), first, failed[0])
}

// Unwrap returns the errors that are not nil.
func (e *BatchError) Unwrap() []error {
	return slices.DeleteFunc(slices.Clone(e.Errs), func(err error) bool { return err == nil })
}

func batchError(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return &BatchError{errs}
		}
	}
	return nil
}

// A starting is one child of a StartAll.
type starting struct {
	spec *spawn.Spec
	plan *cachedPlan
	l    *keeper.Launch
	at   int // the index of the Spec
}

// A batchStart is a StartAll that is under way.
type batchStart struct {
	host  *Host
	m     *method
	specs []spawn.Spec
	procs []*Process
	errs  []error
	ended []time.Time // when each was started, as far as that is noted; nil if nobody wants to know
}

// startAll returns a process or an error for each Spec.
func (h *Host) startAll(ctx context.Context, key string, specs []spawn.Spec) ([]*Process, []error) {
	b := &batchStart{host: h, specs: slices.Clone(specs), procs: make([]*Process, len(specs)), errs: make([]error, len(specs))}
	if len(specs) == 0 {
		return b.procs, b.errs
	}
	m, bounded, done, err := h.begin(ctx, key)
	if err != nil {
		for i := range b.errs {
			b.errs[i] = err
		}
		return b.procs, b.errs
	}
	defer done()
	b.m = m
	w := m.waiting(waitSpawn, fmt.Sprintf("%d children", len(specs)), until(bounded))
	each := func(int) context.Context { return bounded }
	end := func() {}
	if h.cfg.Observer != nil {
		each, end = b.observe(bounded)
	}
	b.run(bounded, each)
	w.end()
	for i, err := range b.errs {
		if errors.Is(err, spawn.ErrCanceled) && ctx.Err() == nil {
			err = &spawn.Error{Kind: spawn.ErrClosed, Phase: spawn.PhaseStart, Msg: "it was closed while the child was being started"}
		}
		b.errs[i] = withKey(err, m.entry.Key)
	}
	end()
	return b.procs, b.errs
}

// observe begins the start of each child. It returns the context for each, and what
// ends them all.
func (b *batchStart) observe(ctx context.Context) (each func(i int) context.Context, end func()) {
	b.ended = make([]time.Time, len(b.specs))
	ctxs, begun := make([]context.Context, len(b.specs)), make([]Observation, len(b.specs))
	for i := range b.specs {
		ctxs[i], begun[i] = b.host.observeSpawn(ctx, b.m.entry.Key, b.specs[i].Path)
	}
	return func(i int) context.Context { return ctxs[i] }, func() {
		now := time.Now()
		for i, o := range begun {
			ended := b.ended[i]
			if ended.IsZero() {
				ended = now
			}
			b.host.spawned(ctxs[i], o, b.procs[i], b.specs[i].Path, ended, b.errs[i])
		}
	}
}

// aside is how many children are started at once, of those that need a plan, or
// a backend, for themselves alone.
const aside = 8

// run starts all children: what has a plan that can be used again in batches,
// and the rest as Start does.
func (b *batchStart) run(ctx context.Context, each func(i int) context.Context) {
	var batch []starting
	var all sync.WaitGroup
	places := make(chan struct{}, aside)
	environ := sync.OnceValue(os.Environ) // one for all: what is the same is not sent again
	for i := range b.specs {
		spec := &b.specs[i]
		given := spec.Env != nil
		plan, err := b.m.planFor(each(i), spec, environ)
		if err == nil {
			b.host.addEnviron(each(i), spec, given)
		}
		switch {
		case err != nil:
			b.errs[i] = err
		case plan != nil && plan.plan.Reusable:
			l, err := newLaunch(plan, spec)
			if err != nil {
				b.errs[i] = err
				continue
			}
			batch = append(batch, starting{spec: spec, plan: plan, l: l, at: i})
		default:
			places <- struct{}{} // each is bounded by ctx
			all.Go(func() {
				b.procs[i], b.errs[i] = b.alone(each(i), plan, spec)
				<-places
			})
		}
	}
	if len(batch) > 0 {
		b.keep(ctx, batch)
	}
	all.Wait()
	runtime.KeepAlive(b)
}

// alone starts a child by a plan of its own, or by none.
func (b *batchStart) alone(ctx context.Context, plan *cachedPlan, spec *spawn.Spec) (*Process, error) {
	if plan == nil {
		return b.m.spawnRemote(ctx, spec)
	}
	return b.host.launch(ctx, b.m.entry.Key, plan, spec)
}

// keep has the keeper launch a batch, and what a keeper could not be asked any
// more the next one.
func (b *batchStart) keep(ctx context.Context, batch []starting) {
	for again := false; ; again = true {
		now := b.host.gather.now()
		k, err := b.host.keeping.use(now)
		if err != nil {
			b.fail(batch, err)
			return
		}
		unasked := b.launch(ctx, k, now, batch)
		b.host.keeping.done(k)
		if len(unasked) == 0 || again {
			return
		}
		select {
		case <-k.Gone():
		case <-ctx.Done():
			return
		}
		batch = unasked
	}
}

func (b *batchStart) fail(batch []starting, err error) {
	for _, s := range batch {
		b.errs[s.at] = err
	}
}

// launch has a keeper launch a batch. It returns what it was not asked for, since
// it was gone.
func (b *batchStart) launch(ctx context.Context, k *kept, now inherited, batch []starting) (unasked []starting) {
	key := b.m.entry.Key
	made := make([]*Process, len(batch)) // some may have ended before they are said to run
	ls := make([]*keeper.Launch, len(batch))
	for i, s := range batch {
		var err error
		if s.l.Plan, err = s.plan.encode(k.base, now); err != nil {
			b.fail(batch, err)
			return nil
		}
		ls[i], made[i] = s.l, newProcess(b.host, key)
		made[i].notes = s.plan.plan.Notes
	}
	w := b.host.waits.begin(wait{name: waitKeeper, key: string(key), subject: fmt.Sprintf("%d children", len(batch)), until: until(ctx)})
	defer w.end()
	k.LaunchAll(ctx, keeper.Batch{
		Launches: ls,
		Exited:   func(i int) func(keeper.Exit) { return made[i].exited },
		Done: func(i int, started keeper.Started, err error) {
			s := batch[i]
			if err == nil {
				made[i].begin(k.Client, started)
				b.procs[s.at], b.errs[s.at] = made[i], nil
				if b.ended != nil {
					b.ended[s.at] = time.Now()
				}
				return
			}
			b.errs[s.at] = explainExec(err, s.spec)
			var e *spawn.Error
			if errors.As(err, &e) && e.Kind == spawn.ErrKeeperGone && e.Op == "send" {
				unasked = append(unasked, s)
			}
		},
	})
	return unasked
}

// startAllBy is startAll for children of several methods: by keys, the Specs'
// methods.
func (h *Host) startAllBy(ctx context.Context, keys []registry.SpawnMethodKey, specs []spawn.Spec) ([]*Process, []error) {
	procs, errs := make([]*Process, len(specs)), make([]error, len(specs))
	byKey := map[registry.SpawnMethodKey][]int{}
	for i, key := range keys {
		byKey[key] = append(byKey[key], i)
	}
	var all sync.WaitGroup
	for key, indexes := range byKey {
		all.Go(func() {
			some := make([]spawn.Spec, len(indexes))
			for j, i := range indexes {
				some[j] = specs[i]
			}
			p, e := h.startAll(ctx, string(key), some)
			for j, i := range indexes {
				procs[i], errs[i] = p[j], e[j]
			}
		})
	}
	all.Wait()
	return procs, errs
}
