package host

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/internal/proctree"
)

// maxDumped is how many lines a list in a dump has.
const maxDumped = 500

// lockedOut is what a dump says of state that it could not look at.
const lockedOut = "  locked by somebody else for %v and more: the goroutines say by whom\n"

func (h *Host) dumpWaits(context.Context) []byte {
	list, all, ok := h.waits.list(maxDumped)
	if !ok {
		return fmt.Appendf(nil, lockedOut, lockTime)
	}
	var b []byte
	now := time.Now()
	for _, w := range list {
		b = append(w.append(b, now), '\n')
	}
	return appendCount(b, all, len(list))
}

// append appends a line that says what is waited for, since when, and for how
// long still.
func (w *wait) append(b []byte, now time.Time) []byte {
	b = fmt.Appendf(b, "  %-12s for %v", w.name, age(now, w.since))
	switch left := w.until.Sub(now).Round(time.Millisecond); {
	case w.until.IsZero():
		b = append(b, ", no deadline"...)
	case left < 0:
		b = fmt.Appendf(b, ", PAST ITS DEADLINE by %v", -left)
	default:
		b = fmt.Appendf(b, ", %v left", left)
	}
	if w.key != "" {
		b = fmt.Appendf(b, ", method %s", w.key)
	}
	if w.pid != 0 {
		b = fmt.Appendf(b, ", process %d", w.pid)
	}
	if w.subject != "" {
		b = fmt.Appendf(b, ", %s", proctree.Plain(w.subject))
	}
	return b
}

func appendCount(b []byte, all, shown int) []byte {
	switch {
	case all == 0:
		return append(b, "  none\n"...)
	case all > shown:
		return fmt.Appendf(b, "  and %d more\n", all-shown)
	}
	return b
}

func (h *Host) dumpChildren(ctx context.Context) []byte {
	if !soon(h.mu.TryLock) {
		return fmt.Appendf(nil, lockedOut, lockTime)
	}
	procs := slices.Collect(maps.Keys(h.procs))
	h.mu.Unlock()
	slices.SortFunc(procs, func(a, b *Process) int { return a.pid - b.pid })
	var b []byte
	shown := 0
	for _, p := range procs[:min(len(procs), maxDumped)] {
		if ctx.Err() != nil {
			break
		}
		b = append(p.append(b), '\n')
		shown++
	}
	return appendCount(b, len(procs), shown)
}

// append appends a line about a child.
func (p *Process) append(b []byte) []byte {
	if p.pid == 0 {
		b = fmt.Appendf(b, "  not a local process, method %s", p.key)
	} else {
		b = fmt.Appendf(b, "  process %d, method %s", p.pid, p.key)
	}
	if s, err := linux.ReadStat(p.pid); p.pid != 0 && err == nil {
		lived := linux.BootTime() - time.Duration(s.StartTime)*time.Second/linux.TicksPerSecond
		b = fmt.Appendf(b, ", %s, %s, started %v ago", proctree.Plain(s.Comm), proctree.StateName(s.State), lived.Round(10*time.Millisecond))
	}
	if !soon(p.mu.TryLock) {
		return append(b, ", locked by somebody else"...)
	}
	defer p.mu.Unlock()
	switch {
	case p.forced:
		b = append(b, ", was sent SIGKILL"...)
	case p.asked != nil:
		b = append(b, ", was asked to end"...)
	}
	return b
}
