package share

import (
	"context"
	"time"
)

// A generation is a resource from the beginning of its opening to the end of
// its closing. The fields below value belong to the pool's lock.
type generation[K comparable, V any] struct {
	pool  *Pool[K, V]
	key   K
	value V // set before there is a lease

	busy   *work // opening or closing; nil when open
	users  int
	giveUp context.CancelCauseFunc // ends the opening
	timer  *time.Timer             // ends the idle time
	rests  int                     // how many idle times there were
}

// A work is what users of a key have to wait for.
type work struct {
	name string
	over chan struct{} // closed by the one who does it
}

func newWork(name string) *work { return &work{name, make(chan struct{})} }

// leave takes one user away from g, and closes it after the last.
func (p *Pool[K, V]) leave(g *generation[K, V]) error {
	p.mu.Lock()
	g.users--
	switch {
	case g.users > 0:
		p.mu.Unlock()
		return nil
	case p.cfg.Idle > 0 && !p.closed:
		p.rest(g)
		p.mu.Unlock()
		return nil
	}
	g.busy = newWork("closing")
	p.mu.Unlock()
	defer p.remove(g)
	return p.end(g.key, g.value)
}

// end ends a resource.
func (p *Pool[K, V]) end(key K, v V) error {
	if p.cfg.Close == nil {
		return nil
	}
	return p.cfg.Close(key, v)
}

// remove ends a generation: the next user of its key makes a new one.
func (p *Pool[K, V]) remove(g *generation[K, V]) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.current, g.key)
	close(g.busy.over)
	p.settled()
}

// settled takes one from what Close waits for. p.mu is held.
func (p *Pool[K, V]) settled() {
	p.pending--
	if p.closed && p.pending == 0 {
		close(p.drained)
	}
}
