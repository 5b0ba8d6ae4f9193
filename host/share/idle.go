package share

import "time"

// rest begins the idle time of a generation whose last user has left. p.mu is
// held.
func (p *Pool[K, V]) rest(g *generation[K, V]) {
	g.rests++
	n := g.rests
	g.timer = time.AfterFunc(p.cfg.Idle, func() { p.expire(g, n) })
}

// expire closes g at the end of its n-th idle time. The timer may have gone off
// when it was about to be stopped: then g is in use, or in another idle time,
// or has been through it.
func (p *Pool[K, V]) expire(g *generation[K, V], n int) {
	p.mu.Lock()
	if g.busy != nil || g.users > 0 || g.rests != n {
		p.mu.Unlock()
		return
	}
	g.busy = newWork("closing")
	forClose := p.closed
	p.pending++ // the report, which follows when the key is free again
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.settled()
	}()
	if err := p.endIdle(g); err != nil {
		p.report(g.key, err, forClose)
	}
}

func (p *Pool[K, V]) endIdle(g *generation[K, V]) error {
	defer p.remove(g)
	return p.end(g.key, g.value)
}
