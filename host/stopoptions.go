package host

import (
	"context"
	"errors"
	"io"
	"os"
	"syscall"
	"time"
)

// StopOptions say how a child is ended: it is asked in its own way, then by a
// signal, then killed. The zero value asks by SIGTERM alone.
type StopOptions struct {
	// Ask asks the child to end before it is sent any signal: see [AskSignal]
	// and [AskClose]. It must return when its context ends, and need not wait
	// for the child; an error goes straight on to Signal. Nil asks nothing.
	Ask func(context.Context, *Process) error

	// AskTime is what the child has to end between Ask and Signal. Zero means
	// 500 ms. It is in addition to Grace.
	AskTime time.Duration

	// AskWaits says that Ask returns nil only when the child has said that it
	// has heard. It has AskTime for that; then, or after an error, Signal
	// follows. A child that has heard is left alone for as long as there is:
	// Signal is sent for the last AskTime of Grace (or its second half, if that
	// is shorter), which begins with Ask.
	AskWaits bool

	// Signal is what asks every child. Zero means SIGTERM. SIGCONT follows it,
	// so that a stopped child hears it.
	Signal syscall.Signal

	// Grace is what the child has between Signal and SIGKILL. Zero means
	// Timeouts.Grace; less than zero, none: Ask and Signal are left out.
	Grace time.Duration

	// Scope is who is ended with the child. The zero value is its tree.
	Scope StopScope

	// KeepOrphans lets what the child leaves behind when it ends live on until
	// the host is closed: a daemon, say, that is to serve others. Otherwise it
	// ends with a child that is stopped or that fails, and with the nursery of
	// one that succeeds.
	KeepOrphans bool
}

// StopScope says who is ended with a child.
type StopScope int

const (
	// StopTree is the child and all its descendants, as long as the chain of
	// parents between them and the child is unbroken.
	StopTree StopScope = iota
	// StopProcess is the child alone, as if KeepOrphans were set.
	StopProcess
	// StopGroup is StopTree for a child that leads a process group
	// (spawn.NewGroup, Session): the signal that asks goes to all of the group
	// at once, as from a terminal. Of any other child it is StopTree.
	StopGroup
)

// keeps reports whether what the child leaves behind is let alone.
func (o StopOptions) keeps() bool { return o.KeepOrphans || o.Scope == StopProcess }

// defaultAskTime is what a child has to end after it was asked in its own way.
const defaultAskTime = 500 * time.Millisecond

// AskSignal asks a child to end by a signal of its own: SIGQUIT for a server
// that drains on it, SIGINT for a program that knows nothing else.
func AskSignal(sig syscall.Signal) func(context.Context, *Process) error {
	return func(_ context.Context, p *Process) error { return p.Signal(sig) }
}

// AskClose asks a child to end by closing something of the host's that it
// reads: its standard input, mostly.
func AskClose(c io.Closer) func(context.Context, *Process) error {
	return func(context.Context, *Process) error {
		if err := c.Close(); !errors.Is(err, os.ErrClosed) {
			return err
		}
		return nil
	}
}

// completed returns o with the host's times and the usual signal filled in.
func (o StopOptions) completed(t Timeouts) StopOptions {
	if o.Signal == 0 {
		o.Signal = termSignal
	}
	if o.Grace == 0 {
		o.Grace = t.Grace
	}
	switch {
	case o.Ask == nil || o.Grace < 0:
		o.AskTime = 0
	case o.AskTime <= 0:
		o.AskTime = defaultAskTime
	}
	o.Grace = max(o.Grace, 0)
	return o
}

// budget is how long ending a child takes at most, after which it is given up
// by name.
func (o StopOptions) budget(t Timeouts) time.Duration {
	o = o.completed(t)
	if o.AskWaits {
		return o.Grace + t.Close
	}
	return o.AskTime + o.Grace + t.Close
}

// SetStop says how the child is to be ended from now on: by Stop, by its
// nursery and by the host's Close.
func (p *Process) SetStop(o StopOptions) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopping = o
}

// stopOptions returns what SetStop has said, completed.
func (p *Process) stopOptions() StopOptions {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stopping.completed(p.host.limits)
}

// ask asks the child in its own way and waits for its end: for AskTime, or for
// longer if it has heard.
func (p *Process) ask(ctx context.Context, o StopOptions) {
	begin := time.Now()
	answered := make(chan error, 1)
	asking, cancel := context.WithTimeout(ctx, o.AskTime)
	defer cancel()
	go func() { answered <- o.Ask(asking, p) }() // the caller's code may be stuck
	select {
	case <-p.done:
		return
	case <-asking.Done():
		return
	case err := <-answered:
		if err != nil {
			return
		}
	}
	wait := o.AskTime
	if o.AskWaits {
		wait = max(o.Grace-o.AskTime, o.Grace/2)
	}
	timer := time.NewTimer(time.Until(begin.Add(wait)))
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
	case <-ctx.Done():
	}
}
