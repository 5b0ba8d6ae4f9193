package host

import (
	"context"
	"sync"

	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A method is what a host has of one registered method: its plugin, started
// when it is first needed and again after a crash, and the plans it made.
type method struct {
	host  *Host
	entry registry.Entry
	plans plans

	mu      sync.Mutex
	plugin  *plugin    // running, or the last one, or nil
	pending *startCall // a start under way, shared by all who need it
	stopped bool       // the host is being closed
}

// A startCall is one start of a plugin. plugin and err are set before done is
// closed.
type startCall struct {
	done   chan struct{}
	plugin *plugin
	err    error
}

func newMethod(h *Host, e registry.Entry) *method {
	return &method{host: h, entry: e, plans: plans{byShape: map[string]*cachedPlan{}}}
}

// running returns the plugin, which it starts when there is none. The start
// goes on when ctx ends: somebody else may wait for it too.
func (m *method) running(ctx context.Context) (*plugin, error) {
	m.mu.Lock()
	if p := m.plugin; p != nil && !p.proc.gone() {
		m.mu.Unlock()
		return p, nil
	}
	if m.stopped {
		m.mu.Unlock()
		return nil, &spawn.Error{Kind: spawn.ErrClosed, Phase: spawn.PhaseStart, Key: string(m.entry.Key)}
	}
	call := m.pending
	if call == nil {
		call = &startCall{done: make(chan struct{})}
		m.pending = call
		go m.start(call)
	}
	m.mu.Unlock()
	select {
	case <-call.done:
		return call.plugin, call.err
	case <-ctx.Done():
		return nil, withKey(waitError(ctx, spawn.PhaseStart, "plugin start"), m.entry.Key)
	}
}

// start starts the plugin for everyone who waits for call. It is bounded by
// Timeouts.Start and by the host's Close.
func (m *method) start(call *startCall) {
	ctx, cancel := context.WithTimeout(m.host.life, m.host.limits.Start)
	defer cancel()
	m.mu.Lock()
	old := m.plugin // one that has ended, or none
	m.mu.Unlock()
	if old != nil {
		old.stop(ctx) // what is held for it on this side
	}
	call.plugin, call.err = startPlugin(ctx, m.host, m.entry)
	m.mu.Lock()
	m.plugin, m.pending = call.plugin, nil
	m.mu.Unlock()
	close(call.done)
}

// stop ends the plugin and waits for a start under way.
func (m *method) stop(ctx context.Context) error {
	m.mu.Lock()
	m.stopped = true
	call := m.pending
	m.mu.Unlock()
	if call != nil {
		select {
		case <-call.done:
		case <-ctx.Done():
			return withKey(waitError(ctx, spawn.PhaseStop, "plugin start"), m.entry.Key)
		}
	}
	m.mu.Lock()
	p := m.plugin
	m.mu.Unlock()
	m.plans.drop()
	if p == nil {
		return nil
	}
	return withKey(p.stop(ctx), m.entry.Key)
}
