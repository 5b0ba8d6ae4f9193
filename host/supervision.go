package host

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/restart"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// PluginState is how it stands with the plugin of a method.
type PluginState string

// The states of a plugin. It goes from idle to starting to ready, and back to
// idle when nobody has needed it for Timeouts.Idle. A failure leads to backoff
// and from there to starting, or to broken.
const (
	PluginIdle     PluginState = "idle"     // it does not run: nobody needs it
	PluginStarting PluginState = "starting" // it has not said yet what it is
	PluginReady    PluginState = "ready"
	PluginBackoff  PluginState = "backoff" // it failed, and is started again at Retry
	PluginBroken   PluginState = "broken"  // it failed too often: see Host.Reset
)

// A Health says how it stands with the plugin of a method.
type Health struct {
	Key   registry.SpawnMethodKey
	State PluginState
	Since time.Time // of the state
	Pid   int       // of the process, when it is ready

	// Launched is when the keeper had made that process: from there to Since
	// is what the plugin took to say what it is.
	Launched time.Time

	// Reason is the last failure, with the plugin's last words. It stays
	// until the plugin has been ready for a minute, or Reset. Failures says
	// how many there were in a row.
	Reason   error
	Failures int

	// Logged and Dropped are how many records its processes have logged in all,
	// and how many more there were than Config.LogLimit allows, or the logger took.
	Logged, Dropped uint64

	// Retry is when a plugin in backoff is started again.
	Retry time.Time
}

const (
	// maxFailures is how many failures within failureTime make a plugin
	// broken.
	maxFailures = 5
	failureTime = time.Minute
	minBackoff  = 100 * time.Millisecond
	maxBackoff  = 30 * time.Second
)

// Health returns the state of the plugin of a method. It starts nothing. The
// error is of kind spawn.ErrUnknownMethod.
func (h *Host) Health(key string) (Health, error) {
	e, err := h.registry.Lookup(key)
	if err != nil {
		return Health{}, err
	}
	m := h.method(e)
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.healthLocked(), nil
}

// Reset forgets the failures of a method's plugin: one that is broken, or is
// waited with, is started again when it is needed next, or at once when somebody
// waits for it. The error is of kind spawn.ErrUnknownMethod.
func (h *Host) Reset(key string) error {
	e, err := h.registry.Lookup(key)
	if err != nil {
		return err
	}
	m := h.method(e)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sup.failures.Reset()
	m.sup.inRow, m.sup.reason = 0, nil
	if m.sup.state == PluginBroken || m.sup.state == PluginBackoff {
		m.enterLocked(PluginIdle)
	}
	if m.pending != nil {
		m.pending.hurry()
	}
	return nil
}

// A supervision is what is remembered of the life of a method's plugin. The
// method's mu guards it.
type supervision struct {
	state    PluginState
	since    time.Time
	reason   error
	retry    time.Time
	inRow    int
	failures restart.Intensity
}

func newSupervision() supervision {
	return supervision{state: PluginIdle, since: time.Now(), failures: restart.Intensity{Max: maxFailures - 1, Within: failureTime}}
}

func (m *method) healthLocked() Health {
	s := &m.sup
	s.forgive()
	h := Health{Key: m.entry.Key, State: s.state, Since: s.since, Reason: s.reason, Failures: s.inRow}
	h.Logged, h.Dropped = m.logged.Records.Load(), m.logged.Dropped.Load()
	switch s.state {
	case PluginReady:
		h.Pid, h.Launched = m.plugin.proc.Pid(), m.plugin.proc.launched
	case PluginBackoff:
		h.Retry = s.retry
	}
	return h
}

// forgive forgets the failures before a plugin that has been ready for long.
func (s *supervision) forgive() {
	if s.state == PluginReady && time.Since(s.since) >= failureTime {
		s.inRow, s.reason = 0, nil
	}
}

// enterLocked enters a state.
func (m *method) enterLocked(s PluginState) {
	if m.sup.state == s {
		return
	}
	m.sup.forgive()
	m.sup.state, m.sup.since = s, time.Now()
	if m.host.events.f != nil || m.host.told.f != nil {
		m.host.tell(PluginChanged{m.healthLocked()})
	}
}

// failedLocked notes that the plugin failed, at its start or later, and decides
// what follows.
func (m *method) failedLocked(err error) {
	s, now := &m.sup, time.Now()
	s.forgive()
	s.reason = err
	s.inRow++
	if s.failures.Add(now) {
		m.enterLocked(PluginBroken)
		return
	}
	s.retry = now.Add(restart.Backoff{Min: minBackoff, Max: maxBackoff}.Delay(s.inRow, rand.Float64()))
	m.enterLocked(PluginBackoff)
}

// refusalLocked returns why the plugin cannot be had before end, or nil.
func (m *method) refusalLocked(end time.Time, bounded bool) error {
	s := &m.sup
	switch {
	case s.state == PluginBroken:
		return &spawn.Error{
			Key: string(m.entry.Key), Kind: spawn.ErrBroken, Phase: spawn.PhaseStart, Err: s.reason,
			Msg: fmt.Sprintf("its plugin failed %d times within %v and is not started again before Host.Reset", maxFailures, failureTime),
		}
	case s.state == PluginBackoff && bounded && s.retry.After(end):
		return &spawn.Error{
			Key: string(m.entry.Key), Kind: spawn.ErrPluginGone, Phase: spawn.PhaseStart, Err: s.reason,
			Msg: fmt.Sprintf("its plugin failed %d times and is started again in %v", s.inRow, time.Until(s.retry).Round(time.Millisecond)),
		}
	}
	return nil
}

// counts reports whether a start that failed with err is a failure of the
// plugin: not one of who gave it up, nor of a file that was not executed.
func counts(err error, started bool) bool {
	return started && !errors.Is(err, spawn.ErrCanceled) && !errors.Is(err, spawn.ErrClosed)
}

// watch waits for the end of a plugin that is ready. One that ends without
// being asked to is started again.
func (m *method) watch(p *plugin) {
	select {
	case <-p.proc.done:
	case <-p.planner.Done():
	case <-p.resting:
		return
	}
	err := p.diagnosed(&spawn.Error{Key: string(m.entry.Key), Kind: spawn.ErrPluginGone, Phase: spawn.PhaseRun, Msg: "its plugin went without being asked to"})
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.plugin != p || m.stopped || m.sup.state != PluginReady {
		return
	}
	m.failedLocked(err)
	if m.sup.state == PluginBackoff {
		m.restartLocked()
	}
}
