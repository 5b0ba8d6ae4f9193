package discovery

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/hatchery-spawn/hatchery/actor/discovery/address"
	"github.com/hatchery-spawn/hatchery/actor/portal"
)

// waitTime is how long a registrar lets somebody wait until it gives an answer.
const waitTime = 3 * time.Second

// maxLooks is how many addresses a registrar looks at at a time, because somebody
// registers or has not been found there. More wait.
const maxLooks = 32

// A registrar answers the questions of actors.
type registrar struct {
	cfg   Config // completed
	table *table
	looks chan struct{} // room for maxLooks
}

func newRegistrar(cfg Config) *registrar {
	return &registrar{cfg: cfg, table: newTable(), looks: make(chan struct{}, maxLooks)}
}

// serve adds a registrar's functions.
func (r *registrar) serve(s *portal.Server) {
	portal.HandleStream(s, fnRegister, r.register)
	portal.Handle(s, fnFind, func(_ context.Context, q question) (found, error) {
		if len(q.Name) > maxName {
			return found{}, checkName("find", q.Name)
		}
		return found{r.table.find(q.Name)}, nil
	})
	portal.Handle(s, fnWait, r.wait)
	portal.Handle(s, fnStale, r.stale)
}

// register holds an entry for as long as the conversation lasts: until the actor
// says that it is over, or its connection ends, or it loses its last address.
func (r *registrar) register(ctx context.Context, s *portal.Stream[nothing, Entry]) error {
	e, err := s.Recv()
	if err != nil {
		return fmt.Errorf("register: %w", err)
	}
	if err := e.check(); err != nil {
		return err
	}
	for _, a := range e.Addrs {
		if err := r.look(ctx, e.Host, e.UID, a); err != nil {
			return fmt.Errorf("register %q: %w", e.Name, err)
		}
	}
	rec, err := r.table.add(e)
	if err != nil {
		return err
	}
	defer r.table.remove(rec, errUnregistered)
	if err := s.Send(nothing{}); err != nil {
		return err
	}
	over := make(chan error, 1)
	go func() {
		_, err := s.Recv()
		over <- err
	}()
	select {
	case err := <-over:
		if err == io.EOF {
			return nil
		}
		return err
	case <-rec.gone:
		return rec.why // Recv ends with the conversation
	}
}

// look looks whether an actor is at an address, if that can be reached from here.
func (r *registrar) look(ctx context.Context, host, uid string, a address.Addr) error {
	if a.IsUnix() && host != r.cfg.Host {
		return nil
	}
	select {
	case r.looks <- struct{}{}:
		defer func() { <-r.looks }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	p, id, err := r.cfg.meet(ctx, a)
	if err != nil {
		return err
	}
	p.Close()
	if id.UID != uid {
		return at("connect to", a, fmt.Errorf("%w: actor %q is there, which is another one", ErrOccupied, id.Name))
	}
	return nil
}

// wait answers when an actor of a name is registered, or after q.Wait. That there
// is an answer in any case tells the actor that its registrar is alive.
func (r *registrar) wait(ctx context.Context, q question) (found, error) {
	if err := checkName("wait", q.Name); err != nil {
		return found{}, err
	}
	timer := time.NewTimer(min(time.Duration(max(q.Wait, 0))*time.Millisecond, waitTime))
	defer timer.Stop()
	for {
		entries, b := r.table.await(q.Name)
		if b == nil {
			return found{entries}, nil
		}
		select {
		case <-b.rung:
		case <-timer.C:
			r.table.leave(q.Name, b)
			return found{Entries: []Entry{}}, nil
		case <-ctx.Done():
			r.table.leave(q.Name, b)
			return found{}, context.Cause(ctx)
		}
	}
}

// stale is told that an actor was not found at an address. The registrar does not
// believe it, but looks.
func (r *registrar) stale(ctx context.Context, s suspicion) (nothing, error) {
	a, err := address.Parse(s.Addr)
	if err != nil {
		return nothing{}, err
	}
	if a.IsUnix() && s.Host != r.cfg.Host || !r.table.has(s.Host, s.UID, a) {
		return nothing{}, nil
	}
	if err := r.look(ctx, s.Host, s.UID, a); err != nil && ctx.Err() == nil {
		r.table.stale(s.Host, s.UID, a)
	}
	return nothing{}, nil
}
