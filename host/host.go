package host

import (
	"context"
	"sync"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/failpoint"
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
	events   *eventQueue // for Config.OnEvent
	told     *eventQueue // for Config.Observer
	waits    *waits
	opened   time.Time
	control  *controlSocket
	adopted  adopted
	logs     logs

	mu       sync.Mutex
	selected registry.SpawnMethodKey
	methods  map[registry.SpawnMethodKey]*method
	procs    map[*Process]struct{} // running
	starting sync.WaitGroup        // spawns and plugin starts under way
	closed   bool
	closeErr error
	forced   []string      // what Close has killed
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
	failpoint.Pass(failpoint.HostOpenFolder)
	gather, limits, events := newGatherer(), cfg.Timeouts.withDefaults(), newEventQueue(cfg.OnEvent)
	told := newEventQueue(tellObserver(cfg.Observer))
	k, err := newKeeping(dir, gather, limits, func(e Event) { events.add(e); told.add(e) })
	if err != nil {
		gather.close()
		dir.remove()
		return nil, err
	}
	life, die := context.WithCancel(context.Background())
	h := &Host{
		life: life, die: die,
		cfg: cfg, limits: limits, registry: r,
		keeping: k, folder: dir, gather: gather, selected: cfg.Method,
		methods: map[registry.SpawnMethodKey]*method{},
		procs:   map[*Process]struct{}{},
		over:    make(chan struct{}),
		waits:   newWaits(), opened: time.Now(),
		events: events, told: told,
	}
	h.plugins = newPlugins(h)
	h.control = listen(h)
	failpoint.Pass(failpoint.HostOpenDone)
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
	m := h.method(e)
	err = m.request(ctx, func(p *plugin) (dying bool, err error) {
		defer m.waiting(waitCall, "probe", until(ctx)).end()
		// Nothing tells when it went: one that the probe itself has killed
		// is probed a second time.
		return true, p.client.Probe(ctx)
	})
	return withKey(err, e.Key)
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
