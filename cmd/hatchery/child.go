package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/cmd/hatchery/keep"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A child is the one process that a run starts, on its way from the beginning
// to the end.
type child struct {
	job     *job // closed by whoever opened it
	tty     *tty // the job's; nil without --tty
	signals <-chan os.Signal
	timeout time.Duration // 0: none
	grace   limit

	process   process          // nil: it was not started
	timeOver  <-chan time.Time // nil: there is no timeout
	graceOver <-chan time.Time // nil: it has not been asked to end
	stopping  *stopping        // nil: it has not been asked to stop
	timedOut  bool
	times     times
}

// A process is a child of the host of this process, or of a server's.
type process interface {
	Pid() int
	Notes() []string
	Warm() bool
	Done() <-chan struct{}
	Wait() (spawn.ExitStatus, error)
	Signal(os.Signal) error
	Stop(context.Context) (spawn.ExitStatus, error)
}

var _, _ process = (*host.Process)(nil), (*keep.Process)(nil)

// times says where the time went, in microseconds.
type times struct {
	Host        int64 `json:"host"`         // until keeper and plugin are wanted: flags, configuration, methods
	Keeper      int64 `json:"keeper"`       // from there until the keeper is up and has made the plugin's process
	PluginStart int64 `json:"plugin_start"` // from there until the plugin can be asked
	Spawn       int64 `json:"spawn"`        // from the request to the exec
	Run         int64 `json:"run"`          // from there until the exit was known
	Teardown    int64 `json:"teardown"`     // ending what was left, plugin and keeper
}

// started notes what there was before the child was asked for, at ready.
func (t *times) started(j *job, ready time.Time) {
	t.Host = j.began.Sub(j.app.began).Microseconds()
	launched := ready // without a plugin all of it is the keeper's
	if health, err := j.host.Health(string(j.entry.Key)); err == nil && !health.Launched.IsZero() {
		launched = health.Launched
	}
	t.Keeper = launched.Sub(j.began).Microseconds()
	t.PluginStart = ready.Sub(launched).Microseconds()
}

// run starts the child and returns when it has ended. With warm the plugin is
// started first, so that its time is told from the child's.
func (c *child) run(ctx context.Context, warm bool) (spawn.ExitStatus, error) {
	came, err := c.start(ctx, func(ctx context.Context) error {
		p, err := c.job.start(ctx, warm, &c.times)
		c.process = p
		return err
	})
	if err != nil {
		return spawn.ExitStatus{}, err
	}
	running := time.Now()
	c.tty.begin(c.process)
	status, err := c.seeThrough(came)
	c.times.Run = time.Since(running).Microseconds()
	c.showRest()
	return status, err
}

// startPatience is what a start has to be done after a signal, before it is
// given up: the child may be there already, to decide for itself, without this
// process having heard of it.
const startPatience = 200 * time.Millisecond

// start calls f, which a signal that asks to end gives up. It returns the
// signals that came meanwhile, for the child that is there all the same.
func (c *child) start(ctx context.Context, f func(context.Context) error) (came []os.Signal, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- f(ctx) }() // waited for here
	var end os.Signal
	for {
		select {
		case err = <-done:
			if end != nil && errors.Is(err, spawn.ErrCanceled) {
				err = &failure{shellCode(end), fmt.Errorf("given up by a signal (%v) before the child was started", end), ""}
			}
			return came, err
		case sig := <-c.signals:
			if stops(sig) {
				stopSelf() // and the child with it, if it is there
				continue
			}
			came = append(came, sig)
			if end == nil && ends(sig) {
				end = sig
				defer time.AfterFunc(startPatience, cancel).Stop()
			}
		}
	}
}

// seeThrough waits for the end of the child. A signal is passed on, and the
// first that asks to end starts the grace, as the timeout does; when that is
// over, or at the second such signal, the child's tree is killed.
func (c *child) seeThrough(came []os.Signal) (spawn.ExitStatus, error) {
	if c.timeout > 0 {
		c.timeOver = time.After(c.timeout)
	}
	for _, sig := range came {
		if c.hears(sig) {
			c.process.Signal(sig) // in case it came before the child was there
		} else if c.pass(sig) {
			return c.kill()
		}
	}
	for {
		select {
		case <-c.process.Done():
			return c.process.Wait()
		case <-c.stopping.next():
			c.stopping = c.stopping.look(c.process.Pid())
		case <-c.graceOver:
			return c.kill()
		case <-c.tty.lost():
			// The kernel tells the child, as SIGHUP would from us.
			c.tty.hangUp()
			if c.graceOver == nil {
				c.process.Signal(wake)
				c.graceOver = time.After(c.graceTime())
			}
		case <-c.timeOver:
			if c.ended() {
				return c.process.Wait() // just in time
			}
			c.timedOut = true
			if c.graceOver == nil {
				c.ask(syscall.SIGTERM)
			}
		case sig := <-c.signals:
			if c.handle(sig) {
				return c.kill()
			}
		}
	}
}

// restPatience is what whoever reads the output has for the rest of it, when the
// child was asked to end.
const restPatience = 2 * time.Second

// showRest waits until everything that the child wrote to its terminal has been
// passed on. Without a terminal of its own the child would have waited for its
// reader itself: so this waits too, until the timeout is over or a signal asks
// to end.
func (c *child) showRest() {
	if c.tty == nil {
		return
	}
	var over <-chan time.Time
	if c.graceOver != nil {
		over = time.After(restPatience)
	}
	for {
		select {
		case <-c.tty.shown:
			return
		case <-over:
			return
		case <-c.timeOver:
			return
		case sig := <-c.signals:
			if ends(sig) {
				return
			}
		}
	}
}

// handle does what a signal asks for. It reports whether that is to kill.
func (c *child) handle(sig os.Signal) (kill bool) {
	switch {
	case stops(sig):
		c.stop()
	case c.hears(sig): // the child decides on it itself
	case c.tty.told(sig): // by the hangup
	default:
		return c.pass(sig)
	}
	return false
}

func (c *child) ended() bool {
	select {
	case <-c.process.Done():
		return true
	default:
		return false
	}
}

// pass passes a signal on. It reports whether it is the second that asks to
// end.
func (c *child) pass(sig os.Signal) (second bool) {
	switch {
	case !ends(sig):
		c.process.Signal(sig)
	case c.graceOver != nil:
		return true
	default:
		c.ask(sig)
	}
	return false
}

// ask asks the child to end, and starts the grace.
func (c *child) ask(sig os.Signal) {
	c.process.Signal(sig)
	c.process.Signal(wake)
	c.graceOver = time.After(c.graceTime())
}

// hears reports whether the child has such a signal from the terminal.
func (c *child) hears(sig os.Signal) bool {
	return fromKeyboard(sig) && hearsTerminal(c.process.Pid())
}

// kill ends the child's tree at once. It is bounded: see host.Process.Stop.
func (c *child) kill() (spawn.ExitStatus, error) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return c.process.Stop(ctx)
}

// defaultGrace is that of package host.
const defaultGrace = 5 * time.Second

func (c *child) graceTime() time.Duration {
	if c.grace.given {
		return c.grace.value
	}
	return defaultGrace
}

// shellCode returns the exit code of what ends by a signal.
func shellCode(sig os.Signal) int {
	if s, ok := sig.(syscall.Signal); ok {
		return 128 + int(s)
	}
	return codeFailed
}
