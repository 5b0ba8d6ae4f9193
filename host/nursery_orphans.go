package host

import (
	"context"
	"sync"
	"time"
)

// endOrphans ends what a child that failed or was stopped has left behind.
// Only then has the child ended for good.
func (c *Child) endOrphans(p *Process) {
	c.clear(p)
	close(c.ended)
	c.nursery.leave()
}

// endOrphans ends what the children that succeeded have left behind.
func (n *Nursery) endOrphans() {
	n.mu.Lock()
	children := n.orphaned
	n.orphaned = nil
	n.mu.Unlock()
	var wg sync.WaitGroup
	for _, c := range children {
		wg.Go(func() { c.clear(c.last) })
	}
	wg.Wait()
}

// clear ends what a process of the child has left behind, tells of it, and
// names in the nursery's error who could not be ended.
func (c *Child) clear(p *Process) {
	o := p.stopOptions()
	grace := o.Grace
	if p.Forced() {
		grace = 0
	}
	end := time.Now().Add(min(grace, orphanGrace) + p.host.limits.Close)
	a := p.endOrphans(context.Background(), o, grace, end)
	if a == nil {
		return
	}
	n := c.nursery
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(a.ended)+len(a.left) > 0 {
		n.events.add(OrphansEnded{n.cfg.Name, c.cfg.Name, p.Pid(), a.ended, a.left})
	}
	if a.err != nil {
		e := c.errorLocked()
		e.Err = a.err
		n.failLocked(e)
	}
}
