package host

import (
	"context"
	"errors"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// Name returns the name by which errors and events call the child.
func (c *Child) Name() string { return c.cfg.Name }

// Process returns the process that runs, or the last one.
func (c *Child) Process() *Process {
	c.nursery.mu.Lock()
	defer c.nursery.mu.Unlock()
	return c.last
}

// Restarts returns how often the child has been started again.
func (c *Child) Restarts() int {
	c.nursery.mu.Lock()
	defer c.nursery.mu.Unlock()
	return c.restarts
}

// Done is closed when the child has ended for good: it is not running, and
// will not be restarted.
func (c *Child) Done() <-chan struct{} { return c.ended }

// Wait waits until the child has ended for good. The error is nil when it
// succeeded, and a *[ChildError] otherwise.
func (c *Child) Wait() error {
	<-c.ended
	c.nursery.mu.Lock()
	defer c.nursery.mu.Unlock()
	if c.err == nil {
		return nil
	}
	return c.errorLocked()
}

// Stop ends the child alone, as its StopOptions say, and returns what Wait
// does. How a child ends that was asked to is no failure of the nursery. When
// ctx ends before the child does, it is killed at once.
func (c *Child) Stop(ctx context.Context) error {
	c.nursery.mu.Lock()
	if !c.gone {
		if p := c.cancelLocked(); p != nil {
			go c.nursery.stop(map[*Process]*Child{p: c})
		}
	}
	c.nursery.mu.Unlock()
	select {
	case <-c.ended:
	case <-ctx.Done():
		c.Process().Stop(ctx) // hastens what is under way; a new process sees that it was asked
	}
	return c.Wait()
}

var errAsked = errors.New("it ended when it was asked to")

// errorLocked returns how the child ended.
func (c *Child) errorLocked() *ChildError {
	e := &ChildError{Name: c.cfg.Name, Restarts: c.restarts, Err: c.err}
	if e.Err == nil {
		e.Err = errAsked
	}
	var exit *spawn.ExitError
	if errors.As(c.err, &exit) {
		e.Status = exit.ExitStatus
	}
	if c.last != nil {
		e.Pid, e.Forced = c.last.Pid(), c.last.Forced()
		if c.err == nil {
			e.Status, _ = c.last.Wait()
		}
	}
	return e
}
