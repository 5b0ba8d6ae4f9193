//go:build unix

package keeper

import (
	"slices"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/launch"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A pool has children that were parked, for plans that begin as those of the last
// children did: each has done what comes before the step park, and becomes one child.
// Nobody is told of it before. In the table it is a child that never became its
// program; what it needs of this process is a thread, which is kept for the next one.
//
// They are parked by a launcher that has just launched such a child, when the host has
// its answer and nothing else is to be done: where all processors are busy it is no
// use to do things ahead. The table's lock guards the pool.
type pool struct {
	key     string // what they are parked for
	uses    int    // children in a row that were of this key
	ready   []*child
	making  int
	threads []*launch.Thread // that nobody uses
	idle    *time.Timer
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
	poolTime = time.Second
)

// A known plan is one that has been decoded.
type known struct {
	plan *spawn.Plan
	key  string // its steps before the step park; empty when it has none

	sandbox bool // its child has mounts of its own

	checked int // launch.Check has passed the plan with so many descriptors less 1; 0 when it has not

	template *spawn.Template // of the handoff that it began with, and does not any more; nil without one
}

func newKnown(encoded []byte) (*known, error) {
	n := &known{plan: new(spawn.Plan)}
	if err := n.plan.UnmarshalBinary(encoded); err != nil {
		return nil, err
	}
	var err error
	if n.template, err = splitPlan(n.plan); err != nil {
		return nil, err
	}
	n.sandbox = launch.OwnMounts(n.plan)
	if at := launch.ParkStep(n.plan); at > 0 {
		begin, err := (&spawn.Plan{Steps: n.plan.Steps[:at]}).AppendBinary(nil)
		if err != nil {
			return nil, err
		}
		n.key = string(begin)
	}
	return n, nil
}

// takeParked takes a parked child for a launch by a plan out of the pool, if there is
// one. It stays in the table.
func (l *launcher) takeParked(n *known) *child {
	if n.key == "" {
		return nil
	}
	return l.k.table.takeParked(n.key)
}

// still reports whether a parked child is as one would be that is made now for the
// request. If not, what else is parked ends. It is called while the child wakes up.
func (l *launcher) still(c *child) bool {
	around, ok := l.k.surroundings(l.known.plan)
	mask, known := l.umask()
	l.req.Umask = mask
	if !ok || !known || !around.equal(c.parked.around) {
		l.k.table.dropParked()
		return false
	}
	return true
}

func (t *table) takeParked(key string) *child {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := &t.pool
	if key != p.key {
		t.emptyPool()
		p.key = key
	}
	p.uses++
	if len(p.ready) == 0 {
		return nil
	}
	c := p.ready[0] // the oldest
	p.ready = slices.Delete(p.ready, 0, 1)
	return c
}

// dropParked ends the parked children that are ready.
func (t *table) dropParked() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.pool.ready {
		t.killParked(c)
	}
	t.pool.ready = nil
}

// emptyPool ends what is parked: its reaping gives back what it needs. The caller
// holds mu.
func (t *table) emptyPool() {
	for _, c := range t.pool.ready {
		t.killParked(c)
	}
	t.pool.ready, t.pool.uses = nil, 0
}

// endPool ends what is parked, and what is being parked. The caller holds mu.
func (t *table) endPool() {
	t.emptyPool()
	for th := range t.makers {
		th.Abort()
		if pid := th.Pid(); pid > 0 {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// killParked kills a parked child that has not been reaped. The caller holds mu.
func (t *table) killParked(c *child) {
	if t.byPid[c.pid] == c {
		syscall.Kill(c.pid, syscall.SIGKILL)
	}
}

// parkedEnded gives back what a parked child needed that has been reaped. The caller
// holds mu.
func (t *table) parkedEnded(c *child) {
	p := &t.pool
	if i := slices.Index(p.ready, c); i >= 0 {
		p.ready = slices.Delete(p.ready, i, i+1)
	}
	th := c.parked.thread
	th.Unpark()
	th.Done()
	p.threads = append(p.threads, th)
}

// A parking is what a parked child has besides others.
type parking struct {
	thread *launch.Thread
	around surroundings
	began  time.Duration // by the table's clock
}

// ahead parks a child for the next launch like the last one. It does not do so while
// that one may be about to end: its end would take longer, or be told later.
func (l *launcher) ahead() {
	k, n := l.k, l.known
	if n == nil || n.key == "" || !k.crew.others() || k.crew.pressed.Load() || !k.table.wantsParked(n.key) {
		return
	}
	l.told.Wait(shortLife)
	p := &parking{}
	if p.thread = k.table.beginParking(n.key); p.thread == nil {
		return
	}
	var made launch.Child
	around, ok := k.surroundings(n.plan)
	err := errShort
	if ok {
		p.around = around
		made, err = p.thread.Park(&launch.Request{Plan: n.plan, FDs: l.req.FDs, Checked: n.checked == len(l.req.FDs)+1, Null: k.null, Self: k.self})
	}
	k.table.endParking(n.key, p, made.Pid, err)
}

// wantsParked reports whether one more is to be parked.
func (t *table) wantsParked(key string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.wants(key)
}

func (t *table) wants(key string) bool {
	p := &t.pool
	return key == p.key && p.uses >= poolUses && len(p.ready)+p.making < poolSize && !t.closed && !t.free
}

// beginParking notes that a child is being parked, and returns the thread for it; nil
// when there is to be none.
func (t *table) beginParking(key string) *launch.Thread {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := &t.pool
	if !t.wants(key) {
		return nil
	}
	var th *launch.Thread
	if last := len(p.threads) - 1; last >= 0 {
		th, p.threads = p.threads[last], p.threads[:last]
	} else if made, err := launch.NewThread(); err == nil {
		th = made
	} else {
		return nil
	}
	th.Rearm()
	p.making++
	t.makers[th] = t.notes.clock.now()
	return th
}

// endParking notes that this is done, and enters what it has made.
func (t *table) endParking(key string, made *parking, pid int, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p, th := &t.pool, made.thread
	made.began = t.makers[th]
	delete(t.makers, th)
	p.making--
	c := &child{pid: pid, failed: true}
	if pid != 0 {
		t.byPid[pid] = c
		t.reused(pid)
	}
	switch {
	case err != nil:
		th.Done()
		p.threads = append(p.threads, th)
		if key == p.key { // what it needs may be there again some children later
			p.uses = 0
		}
	case key != p.key || t.closed || t.free:
		c.parked = made
		t.killParked(c)
	default:
		c.parked = made
		p.ready = append(p.ready, c)
		t.waitIdle()
	}
	t.born++
	t.changed.Broadcast()
}

// waitIdle has what is ready ended when nobody wants it for some time. The caller holds
// mu.
func (t *table) waitIdle() {
	if t.pool.idle != nil {
		t.pool.idle.Reset(poolTime)
		return
	}
	t.pool.idle = time.AfterFunc(poolTime, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.emptyPool()
	})
}

// handOver makes a parked child, which was taken, that of the launch id, which l has
// begun. It reports whether it is still there. The caller holds mu.
func (t *table) handOver(l *launcher, c *child) bool {
	if c == nil || t.byPid[c.pid] != c {
		return false
	}
	delete(t.byPid, c.pid) // it belongs to a launch now
	t.pool.threads = append(t.pool.threads, l.thread)
	l.thread, l.began = c.parked.thread, c.parked.began
	return true
}

// gone notes that a parked child that was handed over has not become anything.
func (t *table) gone(l *launcher, c *child) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c.parked = nil
	t.byPid[c.pid] = c
	l.thread.Done()
	l.began = t.notes.clock.now()
	t.born++
	t.changed.Broadcast()
}
