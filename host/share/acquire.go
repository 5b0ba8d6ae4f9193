package share

import (
	"context"
	"fmt"
)

// Acquire returns a share in the resource of a key, which it opens when it is
// not open. The caller must call Release.
//
// While somebody else opens or closes the resource Acquire waits for that, or
// for the end of ctx. The error is that of Open for those who called it,
// matches ErrClosed when the pool is closed, before or meanwhile, and matches
// ctx.Err when ctx is done, before or while waiting.
func (p *Pool[K, V]) Acquire(ctx context.Context, key K) (*Lease[K, V], error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		g, busy, hit, err := p.enter(key)
		switch {
		case err != nil:
			return nil, err
		case hit:
			return &Lease[K, V]{gen: g, hit: true}, nil
		case busy == nil:
			return p.open(ctx, g)
		}
		select {
		case <-busy.over:
		case <-p.closing:
			return nil, ErrClosed
		case <-ctx.Done():
			return nil, fmt.Errorf("share: waiting for the %s of %v: %w", busy.name, key, ctx.Err())
		}
	}
}

// enter finds out what somebody who wants key has to do: use g, as one user
// more, if it is a hit; wait for busy, if it is not nil; else open g.
func (p *Pool[K, V]) enter(key K) (g *generation[K, V], busy *work, hit bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock() // also when key is of a type that no map takes
	g = p.current[key]
	switch {
	case p.closed:
		return nil, nil, false, ErrClosed
	case g == nil:
		g = &generation[K, V]{pool: p, key: key, busy: newWork("opening")}
		p.current[key] = g
		p.pending++
		return g, nil, false, nil
	case g.busy != nil:
		return nil, g.busy, false, nil
	}
	if g.users == 0 {
		g.timer.Stop() // it may be too late for that: see expire
	}
	g.users++
	return g, nil, true, nil
}

// open opens g for its first user. Whatever way it is left by, g is open or
// gone then.
func (p *Pool[K, V]) open(ctx context.Context, g *generation[K, V]) (*Lease[K, V], error) {
	opened := false
	defer func() {
		if !opened {
			p.remove(g)
		}
	}()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if !p.beginOpening(g, cancel) {
		return nil, ErrClosed
	}
	v, err := p.cfg.Open(ctx, g.key)
	if err == nil {
		if opened = p.endOpening(g, v); opened {
			return &Lease[K, V]{gen: g}, nil
		}
		err = p.end(g.key, v) // Close was faster
	} else if !p.isClosed() {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrClosed, err)
	}
	return nil, ErrClosed
}

// beginOpening lets Close give the opening up. It reports whether there is a
// point in it.
func (p *Pool[K, V]) beginOpening(g *generation[K, V], giveUp context.CancelCauseFunc) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	g.giveUp = giveUp
	return !p.closed
}

// endOpening makes g open, unless the pool has been closed.
func (p *Pool[K, V]) endOpening(g *generation[K, V], v V) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	g.value, g.users = v, 1
	close(g.busy.over)
	g.busy, g.giveUp = nil, nil
	return true
}

func (p *Pool[K, V]) isClosed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}
