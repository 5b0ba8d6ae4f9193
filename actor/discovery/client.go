package discovery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hatchery-spawn/hatchery/actor/discovery/address"
	"github.com/hatchery-spawn/hatchery/actor/portal"
)

// A Client asks registrars. It keeps one connection, to the first that answers,
// and makes another when that is lost. Its methods may be called concurrently.
// Close it.
type Client struct {
	cfg     Config         // completed
	turn    chan struct{}  // room for one: who has current
	current *portal.Portal // nil before the first question
	closed  bool
}

// NewClient returns a client for the registrars of cfg. Nobody is asked yet.
func NewClient(cfg Config) (*Client, error) {
	if len(cfg.Registrar) == 0 {
		return nil, invalid("registrar", "no address of a registrar was given: see parent.Spec.Registrar")
	}
	return &Client{cfg: cfg.completed(), turn: make(chan struct{}, 1)}, nil
}

// Close ends the connection. Portals that Query and Wait have returned stay.
func (c *Client) Close() {
	c.turn <- struct{}{}
	defer func() { <-c.turn }()
	c.closed = true
	if c.current != nil {
		c.current.Close()
	}
}

var errClosed = errors.New("the client is closed")

// connected returns the connection to a registrar. One that was lost is the
// argument, and is replaced.
func (c *Client) connected(ctx context.Context, lost *portal.Portal) (*portal.Portal, error) {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if c.closed {
		return nil, errClosed
	}
	if c.current != nil && c.current != lost {
		return c.current, nil
	}
	if lost != nil {
		lost.Close()
		c.current = nil
	}
	p, errs := c.cfg.firstRegistrar(ctx)
	if p == nil {
		return nil, fmt.Errorf("%w: %w", ErrNoRegistrar, errors.Join(errs...))
	}
	c.current = p
	return p, nil
}

// firstRegistrar connects to all registrars and returns a portal to the first that
// answers, within MeetTime, or what was wrong at each address.
func (c *Config) firstRegistrar(ctx context.Context) (*portal.Portal, []error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type answer struct {
		portal *portal.Portal
		err    error
	}
	addrs := address.Selector{}.Ordered(c.Registrar)
	answers := make(chan answer)
	for _, a := range addrs {
		go func() {
			p, _, err := c.meetRegistrar(ctx, a)
			answers <- answer{p, err}
		}()
	}
	var first *portal.Portal
	var errs []error
	for range addrs { // all of them: they end with ctx
		switch got := <-answers; {
		case got.err != nil:
			errs = append(errs, got.err)
		case first == nil:
			first = got.portal
			cancel()
		default:
			got.portal.Close()
		}
	}
	return first, errs
}

// ask asks a registrar, and another one when that is lost, or has not answered
// within limit.
func ask[Resp, Req any](ctx context.Context, c *Client, limit time.Duration, function string, req Req) (Resp, error) {
	var lost *portal.Portal
	for {
		var none Resp
		p, err := c.connected(ctx, lost)
		if err != nil {
			return none, err
		}
		bounded, cancel := context.WithTimeout(ctx, limit)
		resp, err := portal.Call[Resp](bounded, p, function, req)
		hangs := bounded.Err() != nil
		cancel()
		if err == nil || !hangs && !errors.Is(err, portal.ErrGone) || ctx.Err() != nil {
			return resp, err
		}
		lost = p
	}
}

const (
	// staleTime is what a registrar may take to look after a suspicion.
	staleTime = 2 * MeetTime
	// listTime is what it may take to list all that it knows.
	listTime = 5 * MeetTime
)

// of returns the entries of a name.
func (f found) of(name string) []Entry {
	return slices.DeleteFunc(f.Entries, func(e Entry) bool { return e.Name != name })
}

// Find returns the entry of a name; of several that which was registered last. The
// error is ErrNotFound when there is none.
func (c *Client) Find(ctx context.Context, name string) (Entry, error) {
	all, err := c.FindAll(ctx, name)
	if err != nil {
		return Entry{}, err
	}
	return all[len(all)-1], nil
}

// FindAll returns all entries of a name, in the order in which they were registered.
// The error is ErrNotFound when there is none.
func (c *Client) FindAll(ctx context.Context, name string) ([]Entry, error) {
	if err := checkName("find", name); err != nil {
		return nil, err
	}
	f, err := ask[found](ctx, c, MeetTime, fnFind, question{Name: name})
	if err != nil {
		return nil, fmt.Errorf("find %q: %w", name, err)
	}
	all := f.of(name)
	if len(all) == 0 {
		return nil, fmt.Errorf("find %q: %w", name, ErrNotFound)
	}
	return all, nil
}

// List returns everything that is registered, by name.
func (c *Client) List(ctx context.Context) ([]Entry, error) {
	f, err := ask[found](ctx, c, listTime, fnFind, question{})
	return f.Entries, err
}

// Query returns a portal to an actor by its name, which the caller closes. Of
// several actors it is the one that was registered last, of its addresses the one
// that this host prefers. One that is not there is told to the registrar, and the
// next is tried. The error is ErrNotFound when none is registered.
func (c *Client) Query(ctx context.Context, name string) (*portal.Portal, error) {
	all, err := c.FindAll(ctx, name)
	if err != nil {
		return nil, err
	}
	return c.reachOne(ctx, all)
}

// Wait returns what Query does, as soon as an actor of that name is registered and
// can be reached; at once if there is one. It waits until ctx ends.
func (c *Client) Wait(ctx context.Context, name string) (*portal.Portal, error) {
	if err := checkName("wait", name); err != nil {
		return nil, err
	}
	var unreached error // of one that is registered and cannot be reached
	for {
		f, err := ask[found](ctx, c, waitTime+MeetTime, fnWait, question{Name: name, Wait: int(waitTime.Milliseconds())})
		if all := f.of(name); err == nil && len(all) > 0 {
			var p *portal.Portal
			if p, err = c.reachOne(ctx, all); err == nil {
				return p, nil
			}
			unreached = err
			err = pause(ctx, firstPause)
		}
		if err != nil {
			return nil, fmt.Errorf("wait for %q: %w", name, errors.Join(err, unreached))
		}
	}
}

// reachOne connects to one of several actors, the last if it can be.
func (c *Client) reachOne(ctx context.Context, all []Entry) (*portal.Portal, error) {
	var errs []error
	for i := len(all) - 1; i >= 0; i-- {
		e := all[i]
		p, err := c.cfg.reach(ctx, e, func(a address.Addr) {
			ask[nothing](ctx, c, staleTime, fnStale, suspicion{UID: e.UID, Addr: a.String(), Host: e.Host})
		})
		if err == nil || ctx.Err() != nil {
			return p, err
		}
		errs = append(errs, fmt.Errorf("actor %q: %w", e.Name, err))
	}
	return nil, errors.Join(errs...)
}
