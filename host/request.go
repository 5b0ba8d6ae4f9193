package host

import (
	"context"
	"errors"
	"time"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// dyingTime is how soon after a request a plugin has to go for its death to be
// taken for one that had begun before, when nobody knows better. A killed
// process takes its time to end, and until it has, nothing tells it from a
// living one.
const dyingTime = 20 * time.Millisecond

// request has f ask the plugin something that changes nothing. When the plugin
// goes meanwhile, and f says that it was dying already, f is called once more,
// with a new one. A plugin that goes at work is the caller's to know.
func (m *method) request(ctx context.Context, f func(p *plugin) (dying bool, err error)) error {
	release, err := m.host.plugins.need(ctx, m.entry.Key)
	if err != nil {
		return err
	}
	defer release()
	for again := false; ; again = true {
		p, err := m.running(ctx)
		if err != nil {
			return err
		}
		dying, err := f(p)
		switch {
		case err == nil:
			return nil
		case again || !dying || !errors.Is(err, spawn.ErrPluginGone):
			return p.diagnosed(err)
		}
		p.ended(ctx)
	}
}
