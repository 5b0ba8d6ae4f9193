package discovery

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/hatchery-spawn/hatchery/actor"
	"github.com/hatchery-spawn/hatchery/actor/discovery/address"
	"github.com/hatchery-spawn/hatchery/actor/portal"
)

// A Member is an actor that listens, and that others can find. It ends with the
// context that it was given, and by Close.
type Member struct {
	entry Entry // what others find
	end   context.CancelFunc
	all   *sync.WaitGroup // serving and registered
}

// Addresses returns where the member listens: what Setup of an actor.Entry returns.
func (m *Member) Addresses() []string { return address.Strings(m.entry.Addrs) }

// Close unregisters the actor, ends its connections and removes its sockets. It
// returns when that is done, after 2 s (MeetTime) at most if a registrar hangs.
func (m *Member) Close() {
	m.end()
	m.all.Wait()
}

// Join makes an actor that others can find: it listens as [Binding].Actor says, at
// what the actor was told (its Bind, or else [BindVariable]), serves
// cfg.Portal.Serve there, and is registered under its name with every registrar
// that answers. It returns when the first registrar has it; those that do not
// answer, or are started again later, get it when they do. Without any address of
// a registrar it only listens. The registrars are those of cfg, or else those that
// the actor was told of.
//
// The context is that of the entry point, and the member ends with it. Join is for
// its Setup; its Run waits for the member's Close.
func Join(ctx context.Context, a *actor.Actor, cfg Config) (*Member, error) {
	cfg, asked, err := cfg.of(a)
	if err != nil {
		return nil, err
	}
	addrs, err := Binding{Asked: asked, Registry: cfg.Registrar, Socket: a.Socket}.Actor()
	if err != nil {
		return nil, fmt.Errorf("actor %q: %w", a.Name, err)
	}
	m, err := cfg.serve(ctx, addrs, Identity{Name: a.Name, UID: a.UID}, cfg.Portal.Serve.Clone())
	if err != nil {
		return nil, err
	}
	if err := m.register(ctx, cfg); err != nil {
		m.Close()
		return nil, fmt.Errorf("actor %q: %w", a.Name, err)
	}
	return m, nil
}

// of returns the Config for an actor, and the addresses that were asked for.
func (c Config) of(a *actor.Actor) (Config, []address.Addr, error) {
	c = c.completed()
	if c.Portal.Actor == nil {
		c.Portal.Actor = a
	}
	if len(c.Registrar) == 0 {
		told, err := ConfigOf(a)
		if err != nil {
			return c, nil, err
		}
		c.Registrar = told.Registrar
	}
	bind := a.Bind
	if len(bind) == 0 {
		bind = strings.Fields(a.Variables[BindVariable])
	}
	asked, err := address.ParseAll(bind...)
	if err != nil {
		return c, nil, fmt.Errorf("bind address of actor %q: %w", a.Name, err)
	}
	return c, asked, nil
}

// serve listens at addresses and serves s there.
func (c *Config) serve(ctx context.Context, addrs []address.Addr, self Identity, s *portal.Server) (*Member, error) {
	gates, err := c.listen(ctx, addrs)
	if err != nil {
		return nil, err
	}
	identify(s, self)
	if err := s.Check(); err != nil {
		closeAll(gates)
		return nil, err
	}
	pc := c.Portal
	pc.Serve = s
	ctx, end := context.WithCancel(ctx)
	m := &Member{entry: Entry{Name: self.Name, UID: self.UID, Host: c.Host}, end: end, all: new(sync.WaitGroup)}
	for _, g := range gates {
		m.entry.Addrs = append(m.entry.Addrs, g.addr)
		m.all.Go(func() { portal.Serve(ctx, g, pc) })
	}
	return m, nil
}

// register registers the member with all registrars, and keeps it so. It returns
// when the first has taken it, or none has.
func (m *Member) register(ctx context.Context, cfg Config) error {
	if len(cfg.Registrar) == 0 {
		return nil
	}
	ctx, end := context.WithCancel(ctx)
	stopServing := m.end
	m.end = func() { end(); stopServing() }
	outcomes := make(chan error, len(cfg.Registrar))
	for _, a := range cfg.Registrar {
		m.all.Go(func() { m.stay(ctx, cfg, a, outcomes) })
	}
	var errs []error
	for range cfg.Registrar {
		err := <-outcomes
		if err == nil {
			return nil
		}
		errs = append(errs, err)
	}
	return fmt.Errorf("%w: %w", ErrNoRegistrar, errors.Join(errs...))
}

// stay stays registered with one registrar until ctx ends. How the first attempt
// went is told.
func (m *Member) stay(ctx context.Context, cfg Config, a address.Addr, first chan<- error) {
	wait := firstPause
	for {
		l, err := cfg.lease(ctx, a, m.entry)
		if first != nil {
			first <- err
			first = nil
		}
		if err == nil {
			wait = firstPause
			l.hold(ctx)
		}
		if pause(ctx, wait) != nil {
			return
		}
		wait = min(2*wait, lastPause)
	}
}
