package host

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"
)

// maxStacks bounds the stacks of the host, maxPluginStacks those of a plugin and
// maxAllStacks those of all.
const (
	maxAllStacks    = 4 << 20
	maxStacks       = 2 << 20
	maxPluginStacks = 512 << 10
)

func dumpStacks(context.Context) []byte {
	b := make([]byte, maxStacks)
	n := runtime.Stack(b, true)
	if n == len(b) {
		return append(b, "\n  and more: this is all that is shown\n"...)
	}
	return b[:n]
}

// stacksTime is what plugins and keepers have to say what they do.
const stacksTime = time.Second

func (h *Host) dumpPluginStacks(ctx context.Context) []byte {
	methods, ok := h.knownMethods()
	if !ok {
		return fmt.Appendf(nil, lockedOut, lockTime)
	}
	ctx, cancel := context.WithTimeout(ctx, stacksTime)
	defer cancel()
	parts := make([][]byte, len(methods))
	var all sync.WaitGroup
	for i, m := range methods {
		all.Go(func() { parts[i] = m.stacks(ctx) })
	}
	all.Wait() // bounded by ctx
	b := slices.Concat(parts...)
	if len(b) > maxAllStacks {
		return append(b[:maxAllStacks], "\n  and more: this is all that is shown\n"...)
	}
	return appendCount(b, len(b), len(b))
}

// stacks returns the stacks of a method's plugin, or why there are none.
func (m *method) stacks(ctx context.Context) []byte {
	p, _, ok := m.look()
	switch {
	case !ok:
		return fmt.Appendf(nil, "  %s: locked by somebody else\n", m.entry.Key)
	case p == nil:
		return nil
	}
	b := fmt.Appendf(nil, "-- %s, process %d\n", m.entry.Key, p.proc.Pid())
	text, err := p.client.Stacks(ctx, maxPluginStacks)
	if err != nil {
		return fmt.Appendf(b, "  it did not answer: %v\n", err)
	}
	return append(b, text...)
}

func (h *Host) dumpKeeperStacks(ctx context.Context) []byte {
	keepers, ok := h.keeping.look()
	if !ok {
		return fmt.Appendf(nil, lockedOut, lockTime)
	}
	ctx, cancel := context.WithTimeout(ctx, stacksTime)
	defer cancel()
	parts := make([][]byte, len(keepers))
	var all sync.WaitGroup
	for i, c := range keepers {
		all.Go(func() {
			parts[i] = fmt.Appendf(nil, "-- process %d\n", c.Pid())
			text, err := c.Describe(ctx)
			if err != nil {
				text = fmt.Sprintf("  it did not answer: %v\n", err)
			}
			parts[i] = append(parts[i], text...)
		})
	}
	all.Wait() // bounded by ctx
	return slices.Concat(parts...)
}
