package host

import (
	"context"
	"sync"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/pluginlog"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A method is what a host has of one registered method: its plugin, started
// when it is first needed and again after a crash, and the plans it made.
type method struct {
	host  *Host
	entry registry.Entry
	plans plans

	logged pluginlog.Counts // the records of all its plugins

	mu      sync.Mutex
	plugin  *plugin    // running, or the last one, or nil
	pending *startCall // a start under way, shared by all who need it
	stopped bool       // the host is being closed
	forced  bool       // and the plugin did not end by itself
	sup     supervision
}

// A startCall is one start of a plugin. plugin and err are set before done is
// closed.
type startCall struct {
	done   chan struct{}
	giveUp context.CancelCauseFunc // ends the start
	hurry  func()                  // ends the backoff before it
	plugin *plugin
	err    error

	// The method's mu guards these.
	waiters int  // none is left once it is 0 again
	unasked bool // a crash has led to it
}

func newMethod(h *Host, e registry.Entry) *method {
	return &method{host: h, entry: e, plans: plans{byShape: map[string]*cachedPlan{}}, sup: newSupervision()}
}

// running returns the plugin, which it starts when there is none. The start is
// shared by all who need it. When the last of them leaves, because its context
// has ended, the start is given up, and nothing of it is left.
func (m *method) running(ctx context.Context) (*plugin, error) {
	for {
		p, call, joined, err := m.join(ctx)
		if call == nil {
			return p, err
		}
		select {
		case <-call.done:
			if joined {
				return call.plugin, call.err
			}
		case <-ctx.Done():
			if joined {
				err = m.leave(ctx, call)
			}
			if err == nil {
				err = waitError(ctx, spawn.PhaseStart, "plugin start")
			}
			return nil, withKey(err, m.entry.Key)
		}
	}
}

// join returns the plugin, or the start to wait for. joined is false for one
// that was given up: it has to be over before there can be another.
func (m *method) join(ctx context.Context) (p *plugin, call *startCall, joined bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.plugin != nil && m.plugin.usable():
		return m.plugin, nil, false, nil
	case m.stopped:
		return nil, nil, false, &spawn.Error{Kind: spawn.ErrClosed, Phase: spawn.PhaseStart, Key: string(m.entry.Key)}
	case m.pending != nil && m.pending.waiters == 0:
		return nil, m.pending, false, nil
	}
	end, bounded := ctx.Deadline()
	if err := m.refusalLocked(end, bounded); err != nil {
		return nil, nil, false, err
	}
	if m.pending == nil {
		m.beginLocked(context.WithoutCancel(ctx))
	}
	m.pending.waiters++
	return nil, m.pending, true, nil
}

// beginLocked begins a start, once the backoff is over if there is one. asked is of
// whoever needs it first, and does not end.
func (m *method) beginLocked(asked context.Context) {
	ctx, giveUp := context.WithCancelCause(m.host.life)
	now := make(chan struct{})
	m.pending = &startCall{done: make(chan struct{}), giveUp: giveUp, hurry: sync.OnceFunc(func() { close(now) })}
	var backoff time.Duration
	if m.sup.state == PluginBackoff {
		backoff = time.Until(m.sup.retry)
	}
	go m.start(ctx, asked, m.pending, backoff, now) // waited for by stop, through done
}

// restartLocked begins a start that nobody has asked for.
func (m *method) restartLocked() {
	if m.pending == nil {
		m.beginLocked(context.Background())
		m.pending.waiters++ // who does not leave: it is given up by stop and rest
		m.pending.unasked = true
	}
}

// leaveTime bounds the wait for the end of a start that was given up.
const leaveTime = 180 * time.Millisecond

// leave gives up waiting for a start, and the start itself if nobody else
// waits for it. It returns what the start failed with then, which says more
// than that the caller's context has ended.
func (m *method) leave(ctx context.Context, call *startCall) error {
	m.mu.Lock()
	call.waiters--
	last := call.waiters == 0
	m.mu.Unlock()
	if !last {
		return nil
	}
	call.giveUp(context.Cause(ctx))
	timer := time.NewTimer(leaveTime)
	defer timer.Stop()
	select {
	case <-call.done:
		return call.err
	case <-timer.C:
		return nil
	}
}

// start starts the plugin for everyone who waits for call, after the backoff or
// when now is closed. It is bounded by Timeouts.Start and by the host's Close.
func (m *method) start(ctx, asked context.Context, call *startCall, backoff time.Duration, now chan struct{}) {
	defer call.giveUp(nil)
	defer m.waiting(waitPluginStart, m.entry.Path, time.Now().Add(m.host.limits.Start)).end()
	m.mu.Lock()
	old := m.plugin // one that cannot be used any more, or none
	m.mu.Unlock()
	if old != nil {
		old.stop(ctx, leftGrace) // what is held for it on this side
	}
	pause(ctx, backoff, now)
	restart := old != nil // it has gone by itself, and that may not have been noted yet
	if ctx.Err() == nil {
		m.mu.Lock()
		restart = restart || m.sup.inRow > 0
		m.enterLocked(PluginStarting)
		m.mu.Unlock()
	}
	_, o := m.host.observe(asked, Operation{Kind: OpPluginStart, Method: m.entry.Key, Path: m.entry.Path, Restart: restart})
	w := m.waiting(waitPluginStart, m.entry.Path, time.Now().Add(m.host.limits.Start))
	p, started, err := startPlugin(ctx, m.host, m.entry)
	w.end()
	if o != nil {
		out := Outcome{Ended: time.Now(), Err: err}
		if p != nil {
			out.Pid = p.proc.Pid()
		}
		o.End(out)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	call.plugin, call.err = p, err
	m.plugin, m.pending = p, nil
	close(call.done)
	switch {
	case err == nil:
		m.enterLocked(PluginReady)
		go m.watch(p) // ends with the plugin
	case counts(err, started):
		m.failedLocked(err)
		if call.unasked && !m.stopped && m.sup.state == PluginBackoff {
			m.restartLocked()
		}
	default:
		m.sup.reason = err
		m.enterLocked(PluginIdle)
	}
}

// pause waits for as long as the backoff lasts.
func pause(ctx context.Context, backoff time.Duration, now chan struct{}) {
	if backoff <= 0 {
		return
	}
	timer := time.NewTimer(backoff)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-now:
	case <-ctx.Done():
	}
}

// rest ends the plugin, which nobody needs at the moment. The plans that it made
// stay.
func (m *method) rest(ctx context.Context) error {
	m.mu.Lock()
	for m.pending != nil { // one that nobody has asked for; it may have succeeded already
		call := m.pending
		m.mu.Unlock()
		call.giveUp(nil)
		<-call.done // it is bounded, and its context has ended
		m.mu.Lock()
	}
	p := m.plugin
	if m.stopped || m.host.life.Err() != nil { // stop ends it, and says how that went
		p = nil
	}
	if p != nil {
		m.plugin = nil
		p.rest()
		m.enterLocked(PluginIdle)
	}
	m.mu.Unlock()
	if p == nil {
		return nil
	}
	return withKey(p.stop(ctx, pluginGrace), m.entry.Key)
}

// spawns reports whether the plugin itself has the method's children.
func (m *method) spawns() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.plugin != nil && m.plugin.spawner
}

// wasForced reports whether stop has killed the plugin.
func (m *method) wasForced() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.forced
}

// reaped reports whether the last plugin's process has been reaped.
func (m *method) reaped() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.plugin == nil || m.plugin.proc.reaped()
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
	err := p.stop(ctx, pluginGrace)
	m.mu.Lock()
	m.forced = p.client.Forced()
	m.mu.Unlock()
	return withKey(err, m.entry.Key)
}
