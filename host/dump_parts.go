package host

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/hatchery-spawn/hatchery/internal/keeper"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/internal/proctree"
	"github.com/hatchery-spawn/hatchery/internal/wire"
)

func (h *Host) dumpMethods(context.Context) []byte {
	methods, ok := h.knownMethods()
	if !ok {
		return fmt.Appendf(nil, lockedOut, lockTime)
	}
	var b []byte
	for _, m := range methods {
		b = m.append(fmt.Appendf(b, "  %s: ", m.entry.Key))
	}
	return appendCount(b, len(methods), len(methods))
}

// knownMethods returns the methods that have been used, by key.
func (h *Host) knownMethods() (methods []*method, ok bool) {
	if !soon(h.mu.TryLock) {
		return nil, false
	}
	methods = slices.Collect(maps.Values(h.methods))
	h.mu.Unlock()
	slices.SortFunc(methods, func(a, b *method) int { return strings.Compare(string(a.entry.Key), string(b.entry.Key)) })
	return methods, true
}

// append appends what is known of a method's plugin and of what it has logged.
func (m *method) append(b []byte) []byte {
	b = m.appendPlugin(b)
	if n, dropped := m.logged.Records.Load(), m.logged.Dropped.Load(); n+dropped > 0 {
		b = fmt.Appendf(b, "; %d log records, %d dropped", n, dropped)
	}
	return append(b, '\n')
}

func (m *method) appendPlugin(b []byte) []byte {
	p, starting, ok := m.look()
	switch {
	case !ok:
		return fmt.Appendf(b, "locked by somebody else for %v and more", lockTime)
	case p == nil && starting:
		return append(b, "its plugin is being started"...)
	case p == nil:
		return append(b, "no plugin"...)
	}
	b = fmt.Appendf(b, "plugin %d", p.proc.Pid())
	if starting {
		b = append(b, ", and another is being started"...)
	}
	select {
	case <-p.proc.Done():
		b = append(b, ", has ended"...)
	default:
	}
	var s wire.LaneState
	if !soon(func() (ok bool) { s, ok = p.planner.TryState(); return ok }) {
		return append(b, "; its lane is locked by somebody else"...)
	}
	b = fmt.Appendf(b, "; lane: %d requests of %d in flight", s.Requests, wire.LaneWindow)
	if s.Children > 0 {
		b = fmt.Appendf(b, ", %d children of its own", s.Children)
	}
	return appendQueues(b, s.Unread, s.Unheard)
}

// appendQueues appends what is on its way on a lane. A byte that is not read is
// counted with what the kernel needs to keep it.
func appendQueues(b []byte, unread, unheard int) []byte {
	switch {
	case unread < 0:
		return b
	case unread == 0 && unheard == 0:
		return append(b, ", nothing unread"...)
	}
	return fmt.Appendf(b, ", unread by it %d bytes, by the host %d", unread, unheard)
}

// look returns the plugin, if there is one, and whether one is being started.
// It reports false when somebody has locked the method.
func (m *method) look() (p *plugin, starting, ok bool) {
	if !soon(m.mu.TryLock) {
		return nil, false, false
	}
	defer m.mu.Unlock()
	return m.plugin, m.pending != nil, true
}

func (h *Host) dumpKeepers(context.Context) []byte {
	keepers, ok := h.keeping.look()
	if !ok {
		return fmt.Appendf(nil, lockedOut, lockTime)
	}
	var b []byte
	for i, c := range keepers {
		b = append(c.append(b, i == len(keepers)-1), '\n')
	}
	return b
}

// look returns all keepers, the current one last. It reports false when somebody
// has locked them.
func (k *keeping) look() (keepers []*kept, ok bool) {
	if !soon(k.mu.TryLock) {
		return nil, false
	}
	defer k.mu.Unlock()
	return append(slices.Clone(k.old), k.current), true
}

// append appends a line about a keeper.
func (c *kept) append(b []byte, current bool) []byte {
	b = fmt.Appendf(b, "  process %d", c.Pid())
	if !current {
		b = append(b, ", succeeded by another"...)
	}
	select {
	case <-c.Gone():
		return append(b, ", has ended"...)
	default:
	}
	if s, err := linux.ReadStat(c.Pid()); err == nil {
		b = fmt.Appendf(b, ", %s", proctree.StateName(s.State))
	}
	var s keeper.State
	known := soon(func() (ok bool) { s, ok = c.TryState(); return ok })
	b = appendQueues(fmt.Appendf(b, "; lane: %d launches of %d in flight", s.Launches, keeper.Window), s.Unread, s.Unheard)
	if s.Sending {
		b = append(b, ", a request is being sent"...)
	}
	if !known {
		return append(b, "; the rest is locked by somebody else"...)
	}
	return fmt.Appendf(b, "; %d requests waited for, %d children not known to have ended", s.Requests, s.Children)
}

func dumpProcesses(ctx context.Context) []byte {
	ctx, cancel := context.WithTimeout(ctx, dumpTime*3/4)
	defer cancel()
	return proctree.Take(ctx, os.Getpid()).Append(nil)
}
