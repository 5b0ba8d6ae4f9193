package parent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"

	"github.com/hatchery-spawn/hatchery/actor/channel"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/tail"
)

// An Actor is one that was started, from its parent's point of view. Its methods
// may be called concurrently, also after its end. Nothing has to be closed.
type Actor struct {
	nursery *host.Nursery
	spec    Spec // completed
	uid     string
	socket  string           // reserved for it; empty without a registrar
	channel *channel.Channel // ended once the process has
	child   *host.Child      // set when member is closed
	member  chan struct{}    // closed when the actor is a member of the nursery
	theirs  []*os.File       // the child's ends, closed once it has them
	stderr  *tail.Tail       // nil when descriptor 2 is the caller's own

	hello, started chan struct{} // closed when the actor has said so
	served         chan struct{} // closed when the channel can be read no more

	mu        sync.Mutex
	version   int // of hello
	addresses []string
	report    *channel.Ended // nil as long as the actor has not said how it ended
	broken    error          // how Serve ended, once served is closed
	stop      error          // what was wrong while it was being stopped
}

func newActor(n *host.Nursery, spec Spec, c *channel.Channel) *Actor {
	return &Actor{
		nursery: n, spec: spec, uid: newUID(), channel: c, member: make(chan struct{}),
		hello: make(chan struct{}), started: make(chan struct{}), served: make(chan struct{}),
	}
}

// Name returns the actor's name.
func (a *Actor) Name() string { return a.spec.Name }

// UID returns what makes the actor unique.
func (a *Actor) UID() string { return a.uid }

// Addresses returns where the actor has said that it can be reached, as
// multiaddrs.
func (a *Actor) Addresses() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.addresses)
}

// Child returns the actor as a member of its nursery: for its Done, and its process.
func (a *Actor) Child() *host.Child { return a.child }

// Channel returns the channel to the actor, for connections. It ends with the
// actor's process, and its Err is how the actor ended.
func (a *Actor) Channel() *channel.Channel { return a.channel }

// Wait waits for the actor's end. The error is nil when it has succeeded, and a
// *[host.ChildError] otherwise, with a *[Failure] if the actor has said why.
func (a *Actor) Wait() error { return a.child.Wait() }

// Stop ends the actor alone, as Spec.Stop says, and returns what Wait does. How an
// actor ends that was asked to is no failure of the nursery. When ctx ends before
// the actor does, it is killed at once.
func (a *Actor) Stop(ctx context.Context) error { return a.child.Stop(ctx) }

// Result waits for the actor's end and decodes what it has returned into v, a
// pointer, as package json does.
func (a *Actor) Result(v any) error {
	<-a.child.Done()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.report == nil || a.report.Result == nil {
		return fmt.Errorf("actor %q: %w", a.spec.Name, errNoResult)
	}
	return json.Unmarshal(a.report.Result, v)
}

var errNoResult = errors.New("it has returned nothing")

// receive is given the actor's frames, one after the other.
func (a *Actor) receive(m *channel.Message) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch m.Type {
	case channel.TypeHello:
		return a.heardHello(m)
	case channel.TypeStarted:
		return a.heardStarted(m)
	case channel.TypeEnded:
		if a.report != nil {
			return protocolError("it has ended twice")
		}
		e := new(channel.Ended)
		if err := m.Decode(e); err != nil {
			return err
		}
		a.report = e
		return nil
	}
	return channel.ErrUnknown
}

func (a *Actor) heardHello(m *channel.Message) error {
	if closed(a.hello) {
		return protocolError("it has said hello twice")
	}
	var h channel.Hello
	if err := m.Decode(&h); err != nil {
		return err
	}
	a.version = h.Version
	close(a.hello)
	return nil
}

func (a *Actor) heardStarted(m *channel.Message) error {
	if !closed(a.hello) || closed(a.started) {
		return protocolError("it has said started twice, or before hello")
	}
	var s channel.Started
	if err := m.Decode(&s); err != nil {
		return err
	}
	a.addresses = s.Addresses
	close(a.started)
	return nil
}

func closed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
