//go:build unix

package keeper

import (
	"sync"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/launch"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A pool has namespaces that were made ahead, for children whose plans begin as
// that of the last one did. Each is used for one child. There is nothing of them but
// descriptors of this process: when it is gone, however that comes, so are they.
//
// They are made by a launcher that has just launched such a child, when the host has
// its answer and nothing else is to be done: where all processors are busy it is no
// use to do things ahead.
type pool struct {
	mu     sync.Mutex
	key    string // what they are made for
	uses   int    // children in a row that were of this key
	ready  []launch.Namespaces
	making int
	failed bool // to make them
	idle   *time.Timer
}

const (
	// poolSize bounds what is ready: in the kernel a network namespace is a few
	// hundred kilobytes.
	poolSize = 2
	// poolUses is how many children there are of a kind before anything is made
	// for the next one.
	poolUses = 2
	// shortLife is for how long the end of a child is waited for, whose end would
	// be the later for it, before something is made for the next one.
	shortLife = 3 * time.Millisecond
	// poolTime is how long what is ready waits for a child.
	poolTime = 2 * time.Second
)

// take returns namespaces for a child with this plan, if there are any.
func (p *pool) take(plan *spawn.Plan) (ns launch.Namespaces) {
	n, key := launch.Ahead(plan)
	if n == 0 {
		return ns
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if key != p.key {
		p.drop()
		p.key, p.uses, p.failed = key, 0, false
	}
	p.uses++
	if last := len(p.ready) - 1; last >= 0 {
		ns, p.ready = p.ready[last], p.ready[:last]
	}
	return ns
}

// drop closes what is ready. The caller holds mu.
func (p *pool) drop() {
	for i := range p.ready {
		p.ready[i].Close()
	}
	p.ready = nil
}

// wants reports whether namespaces are to be made for plan; then add is to be called.
func (p *pool) wants(plan *spawn.Plan) bool {
	n, key := launch.Ahead(plan)
	if n == 0 {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if key != p.key || p.uses < poolUses || p.failed || len(p.ready)+p.making >= poolSize {
		return false
	}
	p.making++
	return true
}

// add adds what was made for plan, or that it could not be.
func (p *pool) add(plan *spawn.Plan, ns launch.Namespaces, err error) {
	_, key := launch.Ahead(plan)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.making--
	switch {
	case key != p.key:
		ns.Close()
	case err != nil:
		p.failed = true
	default:
		p.ready = append(p.ready, ns)
		p.wait()
	}
}

// wait has what is ready dropped when nobody wants it for some time. The caller
// holds mu.
func (p *pool) wait() {
	if p.idle != nil {
		p.idle.Reset(poolTime)
		return
	}
	p.idle = time.AfterFunc(poolTime, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.drop()
		p.uses = 0
	})
}

// provide makes namespaces for the next child like the last one. It does not do so
// while that one, of which it is given the pidfd, may be about to end: its end would
// take longer.
func (l *launcher) provide(pidfd int) {
	k, plan := l.k, l.req.Plan
	if plan == nil || !k.crew.others() || !k.pool.wants(plan) {
		return
	}
	if pidfd >= 0 {
		linux.AwaitExit(pidfd, shortLife)
	}
	if !k.table.beginMaking(l) {
		k.pool.add(plan, launch.Namespaces{}, errShort)
		return
	}
	ns, err := l.thread.Prepare(&l.req)
	k.table.endMaking(l)
	k.pool.add(plan, ns, err)
}
