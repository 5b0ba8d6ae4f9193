package host

import (
	"context"
	"sync"
	"time"

	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A Host starts children and knows them until they are gone. Its methods may
// be called concurrently. Close it.
type Host struct {
	cfg      Config
	limits   Timeouts
	registry *registry.Registry
	keeping  *keeping
	folder   *folder
	gather   *gatherer
	plugins  *plugins
	events   *eventQueue
	waits    *waits
	opened   time.Time

	mu       sync.Mutex
	selected registry.SpawnMethodKey
	methods  map[registry.SpawnMethodKey]*method
	procs    map[*Process]struct{} // running
	starting sync.WaitGroup        // spawns and plugin starts under way
	closed   bool
	closeErr error
	over     chan struct{} // closed when Close is done

	// life ends when Close begins. It is no caller's context: it carries
	// nothing but that event, and lets context.AfterFunc listen for it.
	life context.Context
	die  context.CancelFunc
}

// Open opens a host: it makes its runtime folder and starts its keeper. No
// plugin is started before it is needed. The error is of kind
// spawn.ErrUnknownMethod when cfg.Method is not registered, and
// spawn.ErrUnavailable on systems without a keeper.
func Open(cfg Config) (*Host, error) {
	r, err := defaultRegistry()
	if err != nil {
		return nil, err
	}
	if cfg.Registry != nil {
		r = cfg.Registry
	}
	if cfg.Method == "" {
		cfg.Method = registry.DefaultKey
	}
	if _, err := r.Lookup(string(cfg.Method)); err != nil {
		return nil, err
	}
	dir, err := makeFolder()
	if err != nil {
		return nil, err
	}
	gather := newGatherer()
	k, err := newKeeping(dir.path, gather)
	if err != nil {
		gather.close()
		dir.remove()
		return nil, err
	}
	life, die := context.WithCancel(context.Background())
	h := &Host{
		life: life, die: die,
		cfg: cfg, limits: cfg.Timeouts.withDefaults(), registry: r,
		keeping: k, folder: dir, gather: gather, selected: cfg.Method,
		methods: map[registry.SpawnMethodKey]*method{},
		procs:   map[*Process]struct{}{},
		over:    make(chan struct{}),
		waits:   newWaits(), opened: time.Now(),
		events: newEventQueue(cfg.OnEvent),
	}
	h.plugins = newPlugins(h)
	return h, nil
}

// Registry returns the host's methods.
func (h *Host) Registry() *registry.Registry { return h.registry }

// Selected returns the method that Start uses.
func (h *Host) Selected() registry.SpawnMethodKey {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.selected
}

// Select chooses the method that Start uses from now on. The earlier choice
// stands when the key is not registered (spawn.ErrUnknownMethod), or when the
// method does not work on this machine (spawn.ErrUnavailable, with the
// reason), which is found out by its own probe, bounded by Timeouts.Start. A
// blocked method can be selected: it refuses when it is used.
func (h *Host) Select(ctx context.Context, key string) error {
	e, err := h.registry.Lookup(key)
	if err != nil {
		return err
	}
	if err := h.probe(ctx, e); err != nil {
		return err
	}
	h.mu.Lock()
	h.selected = e.Key
	h.mu.Unlock()
	return nil
}

// Probe tries out whether a method works on this machine. The error is of
// kind spawn.ErrUnavailable with the reason, or spawn.ErrNotImplemented for a
// blocked one.
func (h *Host) Probe(ctx context.Context, key string) error {
	e, err := h.registry.Lookup(key)
	if err != nil {
		return err
	}
	if err := h.probe(ctx, e); err != nil {
		return err
	}
	// Whether a plugin binary is blocked is known only now.
	if e, err = h.Describe(ctx, key); err == nil && e.Status == registry.Blocked {
		_, err = h.Plan(ctx, key, spawn.Spec{Path: "/"})
	}
	return err
}

func (h *Host) probe(ctx context.Context, e registry.Entry) error {
	done, err := h.enter()
	if err != nil {
		return err
	}
	defer done()
	ctx, cancel := context.WithTimeout(ctx, h.limits.Start)
	defer cancel()
	p, release, err := h.method(e).use(ctx)
	if err != nil {
		return err
	}
	defer release()
	defer h.method(e).waiting(waitCall, "probe", until(ctx)).end()
	return withKey(p.client.Probe(ctx), e.Key)
}

// method returns the state of a registered method.
func (h *Host) method(e registry.Entry) *method {
	h.mu.Lock()
	defer h.mu.Unlock()
	m := h.methods[e.Key]
	if m == nil {
		m = newMethod(h, e)
		h.methods[e.Key] = m
	}
	return m
}

// enter begins something that Close has to wait for.
func (h *Host) enter() (done func(), err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, &spawn.Error{Kind: spawn.ErrClosed, Phase: spawn.PhaseStart}
	}
	h.starting.Add(1)
	return h.starting.Done, nil
}

// Close ends everything the host started and returns when it is gone: SIGTERM
// to every child, SIGKILL to its tree after the grace, the plugins, orphans,
// the keeper and the runtime folder. It takes Timeouts.Grace + Timeouts.Close
// at most; the error names what could not be ended. Spawns under way are
// given up. Every call returns when the first is done, with the same error.
func (h *Host) Close() error {
	h.mu.Lock()
	first := !h.closed
	if first {
		h.closed = true
		h.die()
	}
	h.mu.Unlock()
	if first {
		h.closeErr = h.close()
		close(h.over)
	}
	<-h.over
	return h.closeErr
}

// finishTime is what is kept of the bound of Close for the keeper's own end,
// killTime of that for the end of what it has to kill.
const (
	finishTime = 500 * time.Millisecond
	killTime   = 250 * time.Millisecond
)

func (h *Host) close() error {
	deadline := time.Now().Add(h.limits.Grace + h.limits.Close)
	ctx, cancel := context.WithDeadline(context.Background(), deadline.Add(-finishTime))
	defer cancel()
	defer h.closing("the whole", deadline).end()
	keepers := h.keeping.last()
	for _, k := range keepers {
		k.Wake()
	}
	var errs errorList
	w := h.closing("spawns and plugin starts under way", until(ctx))
	waitGroup(ctx, &h.starting)
	w.end()
	errs.addAll(h.stopAll(ctx))
	h.plugins.close()
	w = h.closing("plugins", until(ctx))
	plugins := make(chan []error, 1)
	go func() { plugins <- h.stopPlugins(ctx) }()
	select {
	case list := <-plugins:
		errs.addAll(list)
		plugins = nil
	case <-ctx.Done(): // the keeper ends them
	}
	w.end()
	w = h.closing("keepers", deadline)
	// Orphans are left, if anything: what is theirs of the bound is theirs.
	grace := min(h.limits.Grace, orphanGrace, max(0, time.Until(deadline)-finishTime))
	errs.addAll(h.keeping.close(keepers, grace, killTime))
	if plugins != nil {
		errs.addAll(<-plugins) // without a keeper nothing is waited for
	}
	w.end()
	h.folder.remove()
	h.gather.close()
	return errs.join()
}

// orphanGrace is what orphans have between SIGTERM and SIGKILL: their parents
// are gone already.
const orphanGrace = time.Second

// stopAll stops every running child, all at once.
func (h *Host) stopAll(ctx context.Context) []error {
	end, _ := ctx.Deadline()
	h.mu.Lock()
	procs := make([]*Process, 0, len(h.procs))
	for p := range h.procs {
		procs = append(procs, p)
	}
	h.mu.Unlock()
	errs := make([]error, len(procs))
	var wg sync.WaitGroup
	for i, p := range procs {
		wg.Go(func() { _, errs[i] = p.stop(ctx, p.stopOptions(), end) })
	}
	wg.Wait()
	return errs
}

func (h *Host) stopPlugins(ctx context.Context) []error {
	h.mu.Lock()
	methods := make([]*method, 0, len(h.methods))
	for _, m := range h.methods {
		methods = append(methods, m)
	}
	h.mu.Unlock()
	errs := make([]error, len(methods))
	var wg sync.WaitGroup
	for i, m := range methods {
		wg.Go(func() { errs[i] = m.stop(ctx) })
	}
	wg.Wait()
	return errs
}

// waitGroup waits for wg until ctx is done.
func waitGroup(ctx context.Context, wg *sync.WaitGroup) {
	done := make(chan struct{})
	go func() {
		wg.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}
