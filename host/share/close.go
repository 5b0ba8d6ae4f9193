package share

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Close closes the pool: Acquire fails from now on, openings under way are
// given up, and what is idle is closed at once. What is in use stays with its
// users, whose Release closes it and returns the error of that; Close waits for
// it, or for the end of ctx.
//
// The error joins those of closing what was idle. When ctx ends before all is
// closed it names the keys that are left, and matches ctx.Err. To wait on, call
// Close again: it returns those errors again, and what has been added to them.
func (p *Pool[K, V]) Close(ctx context.Context) error {
	p.shut()
	select {
	case <-p.drained:
	case <-ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	errs := slices.Clone(p.errs)
	if p.pending > 0 {
		errs = append(errs, fmt.Errorf("share: not closed: %s: %w", p.left(), ctx.Err()))
	}
	return errors.Join(errs...)
}

// shut begins the end of everything.
func (p *Pool[K, V]) shut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	p.closed = true
	close(p.closing)
	if p.pending == 0 {
		close(p.drained)
	}
	for _, g := range p.current {
		switch {
		case g.giveUp != nil:
			g.giveUp(ErrClosed)
		case g.busy == nil && g.users == 0:
			g.timer.Reset(0) // their idle time is over
		}
	}
}

// left says in words what Close waits for. p.mu is held.
func (p *Pool[K, V]) left() string {
	var all []string
	for key, g := range p.current {
		switch {
		case g.busy != nil:
			all = append(all, fmt.Sprintf("%v (%s)", key, g.busy.name))
		default:
			all = append(all, fmt.Sprintf("%v (users: %d)", key, g.users))
		}
	}
	if len(all) == 0 {
		return "an error is being reported"
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// report passes on the error of closing what was idle, forClose if Close asked
// for that.
func (p *Pool[K, V]) report(key K, err error, forClose bool) {
	if !forClose && p.cfg.CloseError != nil {
		p.cfg.CloseError(key, err)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if forClose || len(p.errs) == 0 {
		p.errs = append(p.errs, fmt.Errorf("share: closing of %v: %w", key, err))
	}
}
