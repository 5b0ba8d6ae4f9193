package host

import (
	"context"

	"github.com/hatchery-spawn/hatchery/registry"
)

// Describe returns the entry of a method with what is known of it: for a
// built-in one what it was registered with, for a plugin binary what it says
// of itself. The latter starts the plugin, within Timeouts.Start.
func (h *Host) Describe(ctx context.Context, key string) (registry.Entry, error) {
	e, err := h.registry.Lookup(key)
	if err != nil || e.Builtin() {
		return e, err
	}
	done, err := h.enter()
	if err != nil {
		return e, err
	}
	defer done()
	ctx, cancel := context.WithTimeout(ctx, h.limits.Start)
	defer cancel()
	p, release, err := h.method(e).use(ctx)
	if err != nil {
		return e, err
	}
	defer release()
	d := p.client.Description()
	e.Status, e.Summary = registry.Status(d.Status), d.Summary
	e.Schema, e.Claims = d.OptionsSchema, d.Claims()
	e.Reason, e.Alternative, e.Analysis, e.Scenario = d.Reason, d.Alternative, d.Analysis, d.Scenario
	return e, nil
}
