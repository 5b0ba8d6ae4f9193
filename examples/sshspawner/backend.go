package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"sync"
	"time"

	"github.com/hatchery-spawn/hatchery/sdk"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A backend has the connections to every target that somebody wanted.
type backend struct {
	mu      sync.Mutex
	targets map[target]*connections
}

var (
	_ sdk.Spawner = (*backend)(nil)
	_ sdk.Prober  = (*backend)(nil)
	_ sdk.Closer  = (*backend)(nil)
)

// Describe says what this is.
func (*backend) Describe() sdk.Description {
	return sdk.Description{
		Key: "ssh", Summary: "programs on another machine, by OpenSSH", Status: "experimental", Schema: schema,
		Claims: []string{"programs", "directory", "umask"},
	}
}

// Probe reports whether there is an ssh. Whether a host can be reached is known
// when somebody names one.
func (*backend) Probe(context.Context) error {
	if _, err := exec.LookPath("ssh"); err != nil {
		return &spawn.Error{Kind: spawn.ErrUnavailable, Msg: "it needs the client of OpenSSH", Err: err}
	}
	return nil
}

// Spawn starts a child.
func (b *backend) Spawn(ctx context.Context, s *spawn.Spec) (sdk.Child, error) {
	t, err := targetOf(s)
	if err == nil {
		err = refuse(s)
	}
	if err != nil {
		return nil, err
	}
	ch, err := b.to(t).spawn(ctx, s)
	if err != nil {
		var e *spawn.Error
		if errors.As(err, &e) && e.Path == "" && e.Op == "exec" {
			e.Path = s.Path
		}
		if errors.As(err, &e) && e.Path == "" && e.Op == "chdir" {
			e.Path = s.Dir
		}
		return nil, err // not ch: a nil *child would be a Child
	}
	return ch, nil
}

func (b *backend) to(t target) *connections {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.targets == nil {
		b.targets = map[target]*connections{}
	}
	if b.targets[t] == nil {
		b.targets[t] = &connections{target: t, turn: make(chan struct{}, 1)}
	}
	return b.targets[t]
}

// Close ends all connections, and with them what runs there.
func (b *backend) Close(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	var wg sync.WaitGroup
	for _, all := range b.targets {
		all.turn <- struct{}{} // nobody connects any more
		for _, c := range all.list {
			wg.Go(func() { c.close(ctx, 10*time.Second) })
		}
	}
	wg.Wait()
	return nil
}

// Connections are those to one target. An sshd allows few sessions on one.
type connections struct {
	target target
	turn   chan struct{} // who has put something in may use list, and connect
	list   []*connection
}

// spawn starts a child over one of the connections.
func (all *connections) spawn(ctx context.Context, s *spawn.Spec) (*child, error) {
	for range 4 {
		c, number, err := all.place(ctx)
		if err != nil {
			return nil, err
		}
		ch, err := c.begin(ctx, s, number)
		if errors.Is(err, errRefused) {
			c.crowded()
			continue
		}
		return ch, err
	}
	return nil, fmt.Errorf("%s: the other side refuses sessions", all.target.name())
}

// place returns a connection that has room for a child, and the child's number.
func (all *connections) place(ctx context.Context) (*connection, uint32, error) {
	select {
	case all.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, 0, ctx.Err()
	}
	defer func() { <-all.turn }()
	all.tidy()
	for _, c := range all.list {
		if number, ok := c.take(); ok {
			return c, number, nil
		}
	}
	c, err := connect(ctx, all.target)
	if err != nil {
		return nil, 0, err
	}
	all.list = append(all.list, c)
	number, _ := c.take()
	return c, number, nil
}

// tidy lets go of connections that are lost, and of all but one that have nothing
// to do.
func (all *connections) tidy() {
	idle := 0
	all.list = slices.DeleteFunc(all.list, func(c *connection) bool {
		select {
		case <-c.lost:
			c.close(context.Background(), 0)
			return true
		default:
		}
		if c.busy() {
			return false
		}
		idle++
		if idle > 1 {
			go c.close(context.Background(), 10*time.Second) // ends by itself then
		}
		return idle > 1
	})
}

// take reserves a place.
func (c *connection) take() (number uint32, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.children) >= c.room {
		return 0, false
	}
	c.next++
	c.children[c.next] = nil // until it begins
	return c.next, true
}

// leave gives a place back.
func (c *connection) leave(number uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.children, number)
}

func (c *connection) busy() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.children) > 0
}

// crowded notes that the other side allows no more sessions than there are.
func (c *connection) crowded() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.room = max(1, min(c.room, len(c.children)))
}

// gone is what a child fails with when its connection is lost.
func (c *connection) gone(err error) error {
	select {
	case <-c.lost:
		return c.why
	default:
		return fmt.Errorf("%s: %w", c.target.name(), err)
	}
}
