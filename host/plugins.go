package host

import (
	"context"
	"errors"

	"github.com/hatchery-spawn/hatchery/host/share"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// plugins counts who needs the plugin of each method: requests, nurseries, and
// children that only their plugin can reach. One that nobody has needed for
// Timeouts.Idle is ended. What fails is started again by its method, so users
// share methods rather than processes.
type plugins struct {
	pool *share.Pool[registry.SpawnMethodKey, *method]
}

// restLimit bounds the end of a plugin that nobody needs.
const restLimit = 2 * pluginGrace

func newPlugins(h *Host) *plugins {
	return &plugins{share.New(share.Config[registry.SpawnMethodKey, *method]{
		Open: func(_ context.Context, key registry.SpawnMethodKey) (*method, error) {
			e, err := h.registry.Lookup(string(key))
			if err != nil {
				return nil, err
			}
			return h.method(e), nil // its plugin is started when it is asked first
		},
		Close: func(_ registry.SpawnMethodKey, m *method) error {
			ctx, cancel := context.WithTimeout(context.Background(), restLimit)
			defer cancel()
			return m.rest(ctx)
		},
		Idle: h.limits.Idle,
		// What could not be ended in order has been killed, and is the
		// keeper's in any case.
		CloseError: func(registry.SpawnMethodKey, error) {},
	})}
}

// need keeps the plugin of a method from being ended until done is called.
func (p *plugins) need(ctx context.Context, key registry.SpawnMethodKey) (done func(), err error) {
	l, err := p.pool.Acquire(ctx, key)
	if err != nil {
		switch {
		case errors.Is(err, share.ErrClosed):
			err = &spawn.Error{Kind: spawn.ErrClosed, Phase: spawn.PhaseStart}
		case err == ctx.Err(): // it was over before there was anything to wait for
			err = waitError(ctx, spawn.PhaseStart, "")
		case ctx.Err() != nil:
			err = waitError(ctx, spawn.PhaseStart, "plugin stop")
		}
		return nil, withKey(err, key)
	}
	return func() { l.Release() }, nil
}

// close forgets who needs what: the methods end their plugins.
func (p *plugins) close() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	p.pool.Close(ctx)
}

// use returns the plugin, which it starts when there is none, and keeps until
// done is called.
func (m *method) use(ctx context.Context) (p *plugin, done func(), err error) {
	done, err = m.host.plugins.need(ctx, m.entry.Key)
	if err != nil {
		return nil, nil, err
	}
	p, err = m.running(ctx)
	if err != nil {
		done()
		return nil, nil, err
	}
	return p, done, nil
}
