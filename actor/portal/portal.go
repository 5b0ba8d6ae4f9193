package portal

import (
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/hatchery-spawn/hatchery/actor"
	"github.com/hatchery-spawn/hatchery/actor/channel"
	"google.golang.org/grpc"
)

// Service is the name of the service over whose connections calls are made.
const Service = "grpc"

// Limits.
const (
	// DefaultMaxMessage is the longest message, in bytes, where a Config has
	// nothing else.
	DefaultMaxMessage = 16 << 20

	// MaxCalls is how many calls of one direction are under way at a time. More
	// wait for those.
	MaxCalls = 10_000

	// ConnectTime is what the other side has to take a connection, and to
	// greet on it.
	ConnectTime = 10 * time.Second
)

// A Config says what a portal is like. The zero value makes one that only calls.
type Config struct {
	// Actor is what this process is itself, if it is an actor. It has Name and
	// Errors, where those are empty.
	Actor *actor.Actor

	// Name is that of this process, in the paths of errors. Without it, and
	// without an Actor, it is the program's.
	Name string

	// Errors are those that keep their identity on the way.
	Errors actor.Errors

	// Serve is what the other side may call. Nil is nothing. It may be shared
	// by several portals, and must be complete when it is given to the first.
	Serve *Server

	// MaxMessage is the longest message that is sent or received, in bytes.
	// Zero means DefaultMaxMessage.
	MaxMessage int
}

func (c Config) completed() Config {
	if a := c.Actor; a != nil {
		if c.Name == "" {
			c.Name = a.Name
		}
		if c.Errors == nil {
			c.Errors = a.Errors
		}
	}
	if c.Name == "" {
		c.Name = filepath.Base(os.Args[0])
	}
	if c.MaxMessage <= 0 {
		c.MaxMessage = DefaultMaxMessage
	}
	return c
}

// A Portal is one end of the way for calls between an actor and its parent. Its
// methods may be called concurrently. It ends with its channel: nothing has to be
// closed, unless it was made by Dialed.
type Portal struct {
	cfg     Config // completed
	link    link
	channel *channel.Channel // nil if the link is no channel

	turn   chan struct{}          // room for one: who makes the connection for calls
	client atomic.Pointer[client] // nil before the first call
}

// New makes the portal of a channel: that of an actor to its parent
// (Actor.Channel), or that of a parent to an actor. What it serves it serves from
// now on, until ctx or the channel ends; ctx is that of the entry point or of the
// nursery. Calls by this process are not bound to ctx. A side has one portal: the
// connection of another one takes the place of the first one's.
//
// The error is that of a function that was registered with a name which cannot be
// used, or used twice.
func New(ctx context.Context, ch *channel.Channel, cfg Config) (*Portal, error) {
	p := newPortal(channelLink{ch}, cfg)
	p.channel = ch
	if cfg.Serve == nil {
		return p, nil
	}
	if err := cfg.Serve.check(); err != nil {
		return nil, err
	}
	s := newServing(ctx, p)
	ch.Handle(Service, s.take)
	return p, nil
}

// Conn returns the portal for clients that were generated. Streams and calls
// through it fail with an [*Error], of which package status finds the code.
func (p *Portal) Conn() grpc.ClientConnInterface { return conn{p} }

// Channel returns the channel that the portal was made of, and nil of one that was
// made by Dialed or Serve.
func (p *Portal) Channel() *channel.Channel { return p.channel }

// callerKey is the key of the portal over which a call came.
type callerKey struct{}

// Caller returns the portal over which a call came, of whose handler ctx is the
// context: for calls back. It is nil for any other context.
func Caller(ctx context.Context) *Portal {
	p, _ := ctx.Value(callerKey{}).(*Portal)
	return p
}
