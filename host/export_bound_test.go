package host

import (
	"context"
	"time"
)

// SpawnContext returns the context of a spawn that ctx is given for.
func (h *Host) SpawnContext(ctx context.Context) (context.Context, context.CancelFunc) {
	return h.spawnContext(ctx)
}

// AgePlugin makes a method's plugin one that has been in its state for longer.
func (h *Host) AgePlugin(key string, by time.Duration) {
	e, _ := h.registry.Lookup(key)
	m := h.method(e)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sup.since = m.sup.since.Add(-by)
}
