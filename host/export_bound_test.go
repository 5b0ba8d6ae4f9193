package host

import "context"

// SpawnContext returns the context of a spawn that ctx is given for.
func (h *Host) SpawnContext(ctx context.Context) (context.Context, context.CancelFunc) {
	return h.spawnContext(ctx)
}
