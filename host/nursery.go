package host

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A Nursery is a scope that the children started in it do not outlive:
// structured concurrency for processes. [Host.Nursery] opens one and returns
// when every child has ended. The first that fails cancels the others; see
// [NurseryError] for what is returned then. Its methods may be called
// concurrently, as long as the nursery is open.
type Nursery struct {
	host   *Host
	cfg    NurseryConfig
	events *eventQueue

	// life is what body has: it ends when the nursery is being canceled.
	life context.Context
	die  context.CancelCauseFunc

	// outside cancels the nursery if its context or its host has ended. That is
	// done when it happens, too, but by another goroutine: whoever judges an error
	// calls it first, for what has failed because of that is no cause.
	outside func()

	mu       sync.Mutex
	members  map[*Child]struct{}                // that have not ended for good
	causes   []error                            // why it was canceled, in the order of time
	stopped  []error                            // members that ended because it was
	plugins  map[registry.SpawnMethodKey]func() // kept for it, and how to let go of them
	orphaned []*Child                           // that succeeded and left somebody behind
	canceled bool
	active   int           // body, members, functions and nested nurseries
	over     chan struct{} // closed when nothing is active
}

// NurseryConfig says how a nursery behaves. The zero value is ready for use.
type NurseryConfig struct {
	// Name is how errors and events call the nursery. It may be empty.
	Name string

	// StopAtEnd ends the children when the body has returned. Otherwise the
	// nursery waits for them to end by themselves.
	StopAtEnd bool

	// OnEvent is told what happens to the children, one event at a time and
	// in order. It runs beside the nursery, which it does not hold up; what
	// it has not been told when the last child has ended it is told still,
	// for Timeouts.Call at most. The library itself never logs.
	OnEvent func(Event)
}

// Nursery calls body with a new nursery and returns when body has returned and
// everything that was started in the nursery has ended: when all have ended by
// themselves, or, after a failure, when all have been stopped, all at once,
// each within the times of its StopOptions and Timeouts.Close.
//
// The nursery is canceled by the first child that fails, by an error of body,
// by a panic in it, by ctx, by [Nursery.Cancel] and by the host's Close. The
// context that body is given ends then, with the failure as its cause. Body has
// to return for Nursery to return.
//
// The error is nil when body and every child succeeded, or after Cancel, and a
// *[NurseryError] otherwise.
func (h *Host) Nursery(ctx context.Context, cfg NurseryConfig, body func(context.Context, *Nursery) error) error {
	n := &Nursery{host: h, cfg: cfg, events: newEventQueue(cfg.OnEvent), members: map[*Child]struct{}{}, plugins: map[registry.SpawnMethodKey]func(){}, active: 1, over: make(chan struct{})}
	n.life, n.die = context.WithCancelCause(ctx)
	defer n.die(nil)
	defer n.heed(ctx)()
	returned := false
	defer func() {
		if !returned { // a panic, or runtime.Goexit, which go on after this
			n.Cancel()
			n.leave()
			n.wait()
		}
	}()
	err := body(n.life, n)
	returned = true
	n.bodyEnded(err)
	n.wait()
	return n.result()
}

// heed has the nursery canceled by the end of ctx and by the host's Close.
func (n *Nursery) heed(ctx context.Context) (stop func()) {
	over := sync.OnceFunc(func() { n.fail(context.Cause(ctx)) })
	closed := sync.OnceFunc(func() { n.fail(&spawn.Error{Kind: spawn.ErrClosed, Phase: spawn.PhaseStop}) })
	n.outside = func() {
		if ctx.Err() != nil {
			over()
		}
		if n.host.life.Err() != nil {
			closed()
		}
	}
	n.outside()
	stopOver, stopClosed := context.AfterFunc(ctx, over), context.AfterFunc(n.host.life, closed)
	return func() { stopOver(); stopClosed() }
}

// Nursery opens a nursery inside n: what is started in it ends before n does,
// and when n is canceled. An error that it returns is the caller's to pass on.
func (n *Nursery) Nursery(ctx context.Context, cfg NurseryConfig, body func(context.Context, *Nursery) error) error {
	if err := n.enter(); err != nil {
		return err
	}
	defer n.leave()
	ctx, cancel := n.within(ctx)
	defer cancel()
	return n.host.Nursery(ctx, cfg, body)
}

// Go calls f in a goroutine that the nursery waits for like for a child. An
// error that f returns cancels the nursery. The context of f ends when the
// nursery is canceled; f has to return then. The error of Go itself is of kind
// spawn.ErrCanceled: the nursery has ended or is being canceled, and f is not
// called.
func (n *Nursery) Go(name string, f func(context.Context) error) error {
	if err := n.enter(); err != nil {
		return &ChildError{Name: name, Err: err}
	}
	go func() {
		defer n.leave()
		err := f(n.life)
		if err == nil {
			return
		}
		n.outside()
		n.mu.Lock()
		defer n.mu.Unlock()
		if own := n.own(err); own != nil {
			n.failLocked(&ChildError{Name: name, Err: own})
		} else {
			n.stopped = append(n.stopped, &ChildError{Name: name, Err: err})
		}
	}()
	return nil
}

// Cancel stops everything in the nursery. By itself it is no failure.
func (n *Nursery) Cancel() { n.fail(nil) }

// Cause returns why the nursery is being canceled, as context.Cause does: nil
// before, the first failure, or context.Canceled after Cancel.
func (n *Nursery) Cause() error { return context.Cause(n.life) }

// within returns ctx bounded by the nursery.
func (n *Nursery) within(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(n.life, func() { cancel(context.Cause(n.life)) })
	return ctx, func() { stop(); cancel(nil) }
}

// enter begins something that the nursery waits for.
func (n *Nursery) enter() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.active == 0 || n.canceled {
		return &spawn.Error{Kind: spawn.ErrCanceled, Phase: spawn.PhaseStart, Msg: "the nursery has ended or is being canceled", Err: n.causeLocked()}
	}
	n.active++
	return nil
}

// leave ends what enter has begun.
func (n *Nursery) leave() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.leaveLocked()
}

func (n *Nursery) leaveLocked() {
	if n.active--; n.active == 0 {
		close(n.over)
	}
}

// fail cancels the nursery, because of cause if that is not nil.
func (n *Nursery) fail(cause error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.failLocked(cause)
}

func (n *Nursery) failLocked(cause error) {
	if cause != nil {
		n.causes = append(n.causes, cause)
		n.withoutEchoLocked(cause)
	}
	if n.canceled {
		return
	}
	n.canceled = true
	n.die(cause)
	n.events.add(NurseryCanceled{Nursery: n.cfg.Name, Cause: cause})
	children := map[*Process]*Child{}
	for c := range n.members {
		if p := c.cancelLocked(); p != nil {
			children[p] = c
		}
	}
	if len(children) > 0 {
		go n.stop(children) // which stay members as long
	}
}

// withoutEchoLocked takes out what has told of the end of a child before the
// child's failure came here: whoever waits for a child, or calls it, may be the
// first to hear of its end.
func (n *Nursery) withoutEchoLocked(failure error) {
	n.causes = slices.DeleteFunc(n.causes, func(c error) bool {
		if !tellsOf(c, failure) || c == failure {
			return false
		}
		if e, ok := c.(*ChildError); ok {
			n.stopped = append(n.stopped, e)
		}
		return true
	})
}

// tellsOf reports whether err has the end of the process that failure, a child's,
// is about among what it was made of.
func tellsOf(err, failure error) bool {
	child, ok := failure.(*ChildError)
	var exit *spawn.ExitError
	return ok && errors.As(child.Err, &exit) && errors.Is(err, exit)
}

func (n *Nursery) causeLocked() error {
	if len(n.causes) == 0 {
		return nil
	}
	return n.causes[0]
}

// own returns what of err is no mere consequence of the cancellation: nil when
// it is the end of a context, or passes on what the nursery was canceled for.
// The caller holds the lock.
func (n *Nursery) own(err error) error {
	if !n.canceled {
		return err
	}
	var e *NurseryError
	if errors.As(err, &e) { // of a nested one: there may be both
		pruned := *e
		pruned.Causes = nil
		for _, c := range e.Causes {
			if own := n.own(c); own != nil {
				pruned.Causes = append(pruned.Causes, own)
			}
		}
		switch len(pruned.Causes) {
		case 0:
			return nil
		case len(e.Causes):
			return err // with what it may be wrapped in
		}
		return &pruned
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, spawn.ErrCanceled) || n.host.life.Err() != nil && errors.Is(err, spawn.ErrClosed) {
		return nil
	}
	if slices.ContainsFunc(n.causes, func(c error) bool { return errors.Is(err, c) || tellsOf(err, c) }) {
		return nil
	}
	return err
}

// bodyEnded does what the end of body asks for.
func (n *Nursery) bodyEnded(err error) {
	if err != nil {
		n.outside()
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	defer n.leaveLocked()
	if err != nil {
		err = n.own(err)
	}
	if err != nil || n.cfg.StopAtEnd {
		n.failLocked(err)
	}
}

// wait waits for all that was started.
func (n *Nursery) wait() {
	defer n.releasePlugins()
	defer n.host.waits.begin(wait{name: waitNursery, subject: n.cfg.Name}).end()
	<-n.over
	n.endOrphans()
	n.host.keeping.hunts.wait() // of a keeper that took a child of this nursery with it
	n.events.flush(n.host.limits.Call)
}

func (n *Nursery) result() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.causes) == 0 {
		return nil
	}
	return &NurseryError{Name: n.cfg.Name, Causes: n.causes, Canceled: n.stopped}
}

// keepPlugin has the plugin of a method stay as long as the nursery is open:
// whoever started one child starts others. Two nurseries share it.
func (n *Nursery) keepPlugin(ctx context.Context, key registry.SpawnMethodKey) error {
	n.mu.Lock()
	_, kept := n.plugins[key]
	n.mu.Unlock()
	if kept {
		return nil
	}
	release, err := n.host.plugins.need(ctx, key)
	if err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.plugins[key] != nil { // by another child, meanwhile
		release()
	} else {
		n.plugins[key] = release
	}
	return nil
}

func (n *Nursery) releasePlugins() {
	n.mu.Lock()
	plugins := n.plugins
	n.plugins = nil
	n.mu.Unlock()
	for _, release := range plugins {
		release() // it may wait for the end of one
	}
}
