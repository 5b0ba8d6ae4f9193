package discovery

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/hatchery-spawn/hatchery/actor"
	"github.com/hatchery-spawn/hatchery/actor/discovery/address"
)

// RegistrarEntry returns the entry point of a registrar: an actor that knows which
// names are at which addresses. It listens as [Binding].Registrar says. It fails
// when one of its addresses is taken: with [ErrOccupied], unless by a registrar.
func RegistrarEntry(cfg Config) actor.Entry {
	var m *Member
	return actor.Entry{
		Setup: func(ctx context.Context, a *actor.Actor) ([]string, error) {
			var err error
			if m, err = startRegistrar(ctx, a, cfg); err != nil {
				return nil, err
			}
			return m.Addresses(), nil
		},
		Run: func(ctx context.Context, a *actor.Actor) error {
			<-ctx.Done()
			m.Close()
			return context.Cause(ctx)
		},
	}
}

func startRegistrar(ctx context.Context, a *actor.Actor, cfg Config) (*Member, error) {
	cfg, asked, err := cfg.of(a)
	if err != nil {
		return nil, err
	}
	addrs, err := Binding{Asked: asked, Registry: cfg.Registrar}.Registrar()
	if err != nil {
		return nil, fmt.Errorf("registrar %q: %w", a.Name, err)
	}
	running, err := cfg.anyRegistrar(ctx, addrs)
	if err == nil && running {
		err = errAlready
	}
	if err != nil {
		return nil, fmt.Errorf("registrar %q: %w", a.Name, err)
	}
	s := cfg.Portal.Serve.Clone()
	newRegistrar(cfg).serve(s)
	return cfg.serve(ctx, addrs, Identity{Name: a.Name, UID: a.UID, Registrar: true}, s)
}

var errAlready = errors.New("a registrar is running at its addresses already")

// AnyRegistrar reports whether a registrar is at one of the addresses in
// cfg.Registrar, within MeetTime: what a root asks before it starts one. The error is
// ErrOccupied when somebody else is at one of them, and no registrar anywhere: then
// none can be started there.
func AnyRegistrar(ctx context.Context, cfg Config) (bool, error) {
	cfg = cfg.completed()
	return cfg.anyRegistrar(ctx, cfg.Registrar)
}

func (c *Config) anyRegistrar(ctx context.Context, addrs []address.Addr) (bool, error) {
	var could []address.Addr
	for _, a := range addrs {
		if a.Reachable() == nil { // else it is for listening only
			could = append(could, a)
		}
	}
	asked := *c
	asked.Registrar = could
	p, errs := asked.firstRegistrar(ctx)
	switch {
	case p != nil:
		p.Close()
		return true, nil
	case ctx.Err() != nil:
		return false, context.Cause(ctx)
	}
	errs = slices.DeleteFunc(errs, func(err error) bool { return errors.Is(err, ErrNobody) })
	return false, errors.Join(errs...)
}
