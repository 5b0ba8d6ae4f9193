package host

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/failpoint"
	"github.com/hatchery-spawn/hatchery/internal/wire"
)

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

// Forced returns what Close had to kill because it did not end by itself: "child
// 4711" by its pid, "child of KEY" if it has none, "plugin KEY". It waits for Close to be
// done. That Close returns no error means that they are gone, not that they
// ended as they should have.
func (h *Host) Forced() []string {
	<-h.over
	return slices.Clone(h.forced)
}

// finishTime is what is kept of the bound of Close for the keeper's own end,
// killTime of that, at least, for the end of what it has to kill.
const (
	finishTime = 500 * time.Millisecond
	killTime   = 250 * time.Millisecond
)

func (h *Host) close() error {
	deadline := time.Now().Add(h.limits.Grace + h.limits.Close)
	ctx, cancel := context.WithDeadline(context.Background(), deadline.Add(-finishTime))
	defer cancel()
	defer h.closing("the whole", deadline).end()
	failpoint.Pass(failpoint.HostCloseBegin)
	keepers := h.keeping.last()
	for _, k := range keepers {
		k.Wake()
	}
	var errs errorList
	w := h.closing("spawns and plugin starts under way", until(ctx))
	waitGroup(ctx, &h.starting)
	w.end()
	remote, local := h.methodsBySpawner()
	plugins := make(chan []pluginEnd, 1)
	early := make(chan []pluginEnd, 1)
	go func() { early <- stopPlugins(ctx, local) }() // their children do not need them
	errs.addAll(h.stopAll(ctx))
	failpoint.Pass(failpoint.HostClosePlugins)
	h.adopted.close()
	h.plugins.close()
	w = h.closing("plugins", until(ctx))
	var ends []pluginEnd
	go func() { plugins <- append(stopPlugins(ctx, remote), <-early...) }()
	select {
	case ends = <-plugins:
		plugins = nil
	case <-ctx.Done(): // the keeper ends them
	}
	w.end()
	failpoint.Pass(failpoint.HostCloseKeepers)
	w = h.closing("keepers", deadline)
	// Orphans are left, if anything: what is theirs of the bound is theirs.
	grace := min(h.limits.Grace, orphanGrace, max(0, time.Until(deadline)-finishTime))
	// A keeper that is slow, on a machine that is busy, has all the time that is
	// left: what it has not ended by then nobody will.
	limit := max(killTime, time.Until(deadline)-grace-(finishTime-killTime))
	errs.addAll(h.keeping.close(keepers, grace, limit))
	if plugins != nil {
		ends = <-plugins // without a keeper nothing is waited for
	}
	errs.addAll(notEnded(ends))
	w.end()
	h.logs.wait(min(h.limits.Call, max(0, time.Until(deadline))))
	h.told.flush(min(h.limits.Call, max(0, time.Until(deadline))))
	h.noteForcedPlugins()
	failpoint.Pass(failpoint.HostCloseFolder)
	h.control.close()
	h.folder.remove()
	h.gather.close()
	return errs.join()
}

// orphanGrace is what orphans have between SIGTERM and SIGKILL: their parents
// are gone already.
const orphanGrace = time.Second

// stopAll stops every running child, all at once.
func (h *Host) stopAll(ctx context.Context) (errs []error) {
	end, _ := ctx.Deadline()
	h.mu.Lock()
	procs := slices.Collect(maps.Keys(h.procs))
	h.mu.Unlock()
	var mu sync.Mutex
	t := teardown{end: func(StopOptions) time.Time { return end }, whole: true, failed: func(_ *Process, err error) {
		mu.Lock()
		defer mu.Unlock()
		errs = append(errs, err)
	}}
	t.stop(ctx, procs)
	for _, p := range procs {
		if p.Forced() {
			h.forced = append(h.forced, p.name())
		}
	}
	return errs
}

// name is how Forced calls a child.
func (p *Process) name() string {
	if p.pid == 0 {
		return "child of " + string(p.key)
	}
	return "child " + itoa(p.pid)
}

// methodsBySpawner returns the methods whose plugins have children of their
// own, and all others.
func (h *Host) methodsBySpawner() (with, without []*method) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range h.methods {
		if m.spawns() {
			with = append(with, m)
		} else {
			without = append(without, m)
		}
	}
	return with, without
}

// noteForcedPlugins notes which plugins had to be killed.
func (h *Host) noteForcedPlugins() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for key, m := range h.methods {
		if m.wasForced() {
			h.forced = append(h.forced, "plugin "+string(key))
		}
	}
	slices.Sort(h.forced)
}

// A pluginEnd is how stopping the plugin of a method went.
type pluginEnd struct {
	method *method
	err    error
}

func stopPlugins(ctx context.Context, methods []*method) []pluginEnd {
	ends := make([]pluginEnd, len(methods))
	var wg sync.WaitGroup
	for i, m := range methods {
		wg.Go(func() { ends[i] = pluginEnd{m, m.stop(ctx)} })
	}
	wg.Wait()
	return ends
}

// notEnded returns the errors of ends, without those of plugins that were still
// there when they were given up and have been reaped since.
func notEnded(ends []pluginEnd) (errs []error) {
	for _, e := range ends {
		if !errors.Is(e.err, wire.ErrStillThere) || !e.method.reaped() {
			errs = append(errs, e.err)
		}
	}
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
