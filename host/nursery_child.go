package host

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/restart"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A ChildConfig says what to start in a nursery, and what to do when it fails.
type ChildConfig struct {
	// Name is how errors and events call the child. Empty means the last
	// element of Spec.Path.
	Name string

	// Spec is what to run. Its Files have to stay open as long as the child
	// may be restarted.
	Spec spawn.Spec

	// Method is the key of the spawn method. Empty means the selected one.
	Method registry.SpawnMethodKey

	// Stop says how the child is ended.
	Stop StopOptions

	// Ready, if it is not nil, is called when a process has become its program,
	// and waits until that is ready for use. The child is started only then.
	// When Ready fails the process is killed, with everything below it, and
	// its start has failed with that error. Ready has to return when its
	// context ends, which is that of Start, bounded by the nursery, and soon
	// when the process does.
	Ready func(context.Context, *Process) error

	// Ended, if it is not nil, is called when a process that was started has
	// ended, with what is known of its end, and returns what the nursery is to
	// make of it: the same, or what the child itself has said about it. The
	// child has ended for its nursery when Ended has returned.
	Ended func(*Process, Ending) Ending

	// Restart says what happens when the child fails: the zero value cancels
	// the nursery.
	Restart Restart
}

// An Ending is how a process has ended.
type Ending struct {
	// Err is nil when it has succeeded, and a *spawn.ExitError otherwise.
	Err error

	// Obeyed says that this is how a child ends that was asked to. If it was
	// asked, because the nursery was canceled, it is no failure then. Of a status
	// alone that is code 0, 128 plus the signal's number, or a signal.
	Obeyed bool
}

// Restart says whether a child that failed is started again: one that could
// not be started again, exited with a code other than 0, or was ended by a
// signal. One that succeeded is never started again.
type Restart struct {
	// Max is how many failures within Within are borne; one more cancels the
	// nursery. Zero: none, the child is not restarted.
	Max int

	// Within is the time in which failures are counted. Zero means a minute.
	Within time.Duration

	// MinDelay and MaxDelay bound the wait before a restart, which doubles
	// with each failure that follows a run shorter than Within. A part of it,
	// half at most, is left to chance. Zero means 100 ms and 30 s.
	MinDelay, MaxDelay time.Duration
}

func (r Restart) completed() Restart {
	set := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	set(&r.Within, time.Minute)
	set(&r.MinDelay, 100*time.Millisecond)
	set(&r.MaxDelay, 30*time.Second)
	return r
}

// A Child is a member of a nursery: a process, and after a restart its
// successor.
type Child struct {
	nursery *Nursery
	cfg     ChildConfig
	ended   chan struct{} // closed when it has ended for good

	// All below is guarded by the nursery's mutex.
	proc     *Process    // nil while there is none
	last     *Process    // proc, or the one before
	again    *time.Timer // a restart that is due
	giveUp   func()      // ends the restart that is under way; nil while there is none
	asked    bool        // it is being stopped
	gone     bool        // it has ended for good
	err      error       // of its last end or start
	begun    time.Time   // of proc
	restarts int
	inRow    int // failures with no long run between them
	failures restart.Intensity
}

// Start starts a child and returns when it has become its program. ctx bounds
// the start only. A child that cannot be started is no member: the error, a
// *[ChildError], is the caller's, and cancels the nursery only if body returns
// it.
func (n *Nursery) Start(ctx context.Context, cfg ChildConfig) (*Child, error) {
	c := n.newChild(cfg)
	if err := n.enter(); err != nil {
		return nil, &ChildError{Name: c.cfg.Name, Err: err}
	}
	p, err := c.launch(ctx)
	if err != nil {
		n.leave()
		return nil, &ChildError{Name: c.cfg.Name, Err: err}
	}
	c.join(p)
	return c, nil
}

// newChild returns a child that is no member yet.
func (n *Nursery) newChild(cfg ChildConfig) *Child {
	if cfg.Name == "" {
		cfg.Name = filepath.Base(cfg.Spec.Path)
	}
	cfg.Restart = cfg.Restart.completed()
	c := &Child{nursery: n, cfg: cfg, ended: make(chan struct{})}
	c.failures = restart.Intensity{Max: cfg.Restart.Max, Within: cfg.Restart.Within}
	return c
}

// join makes the child, which runs as p, a member.
func (c *Child) join(p *Process) {
	n := c.nursery
	n.mu.Lock()
	n.members[c] = struct{}{}
	c.runLocked(p)
	n.mu.Unlock()
	p.afterExit(func() { c.exited(p) })
}

// method returns the key of the method that starts the child.
func (c *Child) method() registry.SpawnMethodKey {
	if c.cfg.Method != "" {
		return c.cfg.Method
	}
	return c.nursery.host.Selected()
}

// launch starts the process, unless the nursery is canceled first.
func (c *Child) launch(ctx context.Context) (*Process, error) {
	ctx, cancel := c.nursery.within(ctx)
	defer cancel()
	h := c.nursery.host
	key := c.method()
	if err := c.nursery.keepPlugin(ctx, key); err != nil {
		return nil, err
	}
	p, err := h.StartMethod(ctx, string(key), c.cfg.Spec)
	if err != nil {
		return nil, err
	}
	p.SetStop(c.cfg.Stop)
	return p, c.ready(ctx, p)
}

// ready waits until a process is ready for use, or kills it.
func (c *Child) ready(ctx context.Context, p *Process) error {
	if c.cfg.Ready == nil {
		return nil
	}
	defer p.waiting(waitReady, until(ctx)).end()
	err := c.cfg.Ready(ctx, p)
	if err == nil {
		return nil
	}
	o := c.cfg.Stop
	o.Grace = -1
	limits := p.host.limits
	if _, serr := p.stop(context.Background(), o.completed(limits), time.Now().Add(o.budget(limits))); serr != nil {
		err = errors.Join(err, serr)
	}
	return err
}

// runLocked notes a new process. One that comes too late is stopped.
func (c *Child) runLocked(p *Process) {
	n := c.nursery
	c.proc, c.last, c.begun = p, p, time.Now()
	n.events.add(ChildStarted{n.cfg.Name, c.cfg.Name, p.Pid(), c.restarts})
	if c.asked || n.canceled {
		c.asked = true
		go n.stop(map[*Process]*Child{c.stoppingLocked(): c})
	}
}

// cancelLocked notes that the child is to be stopped, and gives up a restart.
// It returns the process to stop, if there is one. What is being started
// meanwhile is given up, or sees that it was asked.
func (c *Child) cancelLocked() *Process {
	if c.asked {
		return nil
	}
	c.asked = true
	if c.giveUp != nil {
		c.giveUp()
	}
	if c.again != nil && c.again.Stop() {
		c.endLocked(c.err, false)
		return nil
	}
	return c.stoppingLocked()
}

// stoppingLocked returns the process, which the caller has stopped.
func (c *Child) stoppingLocked() *Process {
	if c.proc != nil {
		c.nursery.events.add(ChildStopping{c.nursery.cfg.Name, c.cfg.Name, c.proc.Pid()})
	}
	return c.proc
}

// stop stops processes, all at once, each within its budget.
func (n *Nursery) stop(children map[*Process]*Child) {
	begin := time.Now()
	t := teardown{
		end: func(o StopOptions) time.Time { return begin.Add(o.budget(n.host.limits)) },
		failed: func(p *Process, err error) {
			if errors.Is(err, spawn.ErrTimeout) {
				children[p].abandon(p, err)
			}
		},
	}
	t.stop(context.Background(), slices.Collect(maps.Keys(children)))
}

// exited is called when the process has ended. It must not wait.
func (c *Child) exited(p *Process) {
	status, err := p.Wait()
	if err == nil && !status.Success() {
		err = &spawn.ExitError{ExitStatus: status}
	}
	e := Ending{err, obeyed(status, p.stopOptions().Signal)}
	if c.cfg.Ended == nil {
		c.settle(p, status, e)
		return
	}
	go func() { c.settle(p, status, c.cfg.Ended(p, e)) }() // the child stays a member as long
}

// settle draws the consequences of the end of a process.
func (c *Child) settle(p *Process, status spawn.ExitStatus, e Ending) {
	n := c.nursery
	if e.Err != nil {
		n.outside() // it may have been ended by the host's Close, which nobody has heard of here yet
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if c.gone {
		return // it was given up before
	}
	c.proc = nil
	n.events.add(ChildExited{n.cfg.Name, c.cfg.Name, p.Pid(), status, c.asked, p.Forced()})
	switch {
	case c.asked:
		c.endLocked(e.Err, n.canceled && !e.Obeyed)
	case e.Err == nil:
		c.endLocked(nil, false)
	default:
		if time.Since(c.begun) >= c.cfg.Restart.Within {
			c.inRow = 0
		}
		c.failedLocked(e.Err)
	}
}

// obeyed reports whether a status is what a child ends with that was asked to
// by sig, or was killed then. Anything else is a failure of its own, which may
// have been on its way already.
func obeyed(s spawn.ExitStatus, sig syscall.Signal) bool {
	switch s.Signal {
	case 0:
		return s.Code == 0 || s.Code == 128+int(sig)
	case sig, syscall.SIGKILL, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP:
		return true
	}
	return false
}

// failedLocked decides what follows a failure: another start, or the end.
func (c *Child) failedLocked(err error) {
	c.err = err
	if c.failures.Add(time.Now()) {
		c.endLocked(err, true)
		return
	}
	c.inRow++
	r := c.cfg.Restart
	delay := restart.Backoff{Min: r.MinDelay, Max: r.MaxDelay}.Delay(c.inRow, rand.Float64())
	c.nursery.events.add(ChildRestarting{c.nursery.cfg.Name, c.cfg.Name, err, delay})
	c.again = time.AfterFunc(delay, c.restart)
}

// restart starts the process again.
func (c *Child) restart() {
	n := c.nursery
	n.mu.Lock()
	c.again = nil
	if c.asked {
		c.endLocked(c.err, false)
		n.mu.Unlock()
		return
	}
	ctx, giveUp := context.WithCancel(n.life)
	defer giveUp()
	c.giveUp = giveUp
	c.restarts++
	last := c.last
	n.mu.Unlock()
	c.clear(last)
	p, err := c.launch(ctx)
	n.mu.Lock()
	c.giveUp = nil
	switch {
	case err == nil:
		c.runLocked(p)
	case c.asked:
		c.endLocked(c.err, false)
	default:
		c.failedLocked(err)
	}
	n.mu.Unlock()
	if err == nil {
		p.afterExit(func() { c.exited(p) })
	}
}

// abandon gives up a process that cannot be ended.
func (c *Child) abandon(p *Process, err error) {
	n := c.nursery
	n.mu.Lock()
	defer n.mu.Unlock()
	if !c.gone && c.proc == p {
		c.endLocked(err, true)
	}
}

// endLocked ends the child for good, with err, or nil when it succeeded. It was
// a failure if that is to cancel the nursery.
func (c *Child) endLocked(err error, failure bool) {
	n := c.nursery
	c.err, c.gone = err, true
	delete(n.members, c)
	switch {
	case failure:
		n.failLocked(c.errorLocked())
	case c.asked && n.canceled:
		n.stopped = append(n.stopped, c.errorLocked())
	}
	switch p := c.last; {
	case p == nil || !p.leftSome(p.stopOptions()):
		close(c.ended)
		n.leaveLocked()
	case failure || c.asked:
		go c.endOrphans(p)
	default: // a daemon may be what the child was for
		close(c.ended)
		n.orphaned = append(n.orphaned, c)
		n.leaveLocked()
	}
}
