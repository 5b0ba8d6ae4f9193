package actor

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"syscall"

	"github.com/hatchery-spawn/hatchery/actor/channel"
)

// An Actor is what this process has been told to be. Its fields are for
// reading.
type Actor struct {
	Name  string // need not be unique
	UID   string // unique: 32 hexadecimal digits
	Entry string
	Args  []string

	// Parent is who started it. Its UID is empty when that is no actor itself.
	Parent channel.Peer

	// Registrar and Bind are addresses, as multiaddrs: where the registrar
	// can be asked, and where this actor is to listen.
	Registrar, Bind []string

	// Socket is a path for a Unix socket of this actor's own, in a folder that is
	// private to the user. The parent removes it at the actor's end. It is empty
	// where there is no registrar.
	Socket string

	// Variables are what the root of the tree has told everybody, and each
	// actor on the way its descendants.
	Variables map[string]string

	// Errors are those of the Program.
	Errors Errors

	channel *channel.Channel

	mu     sync.Mutex
	result json.RawMessage
	said   bool // how it ended
}

func newActor(s *channel.Spawn, ch *channel.Channel, errs Errors) *Actor {
	return &Actor{
		Name: s.Name, UID: s.UID, Entry: s.Entry, Args: s.Args, Parent: s.Parent,
		Registrar: s.Registrar, Bind: s.Bind, Socket: s.Socket, Variables: s.Variables, Errors: errs, channel: ch,
	}
}

// Channel returns the channel to the parent, over which connections are made. It
// is ended when the parent is gone and when the entry point has returned.
func (a *Actor) Channel() *channel.Channel { return a.channel }

// maxResult is the longest result, in bytes of JSON.
const maxResult = channel.MaxPayload / 4

// Return sets the actor's result, which the parent gets when the entry point has
// ended: v in the encoding of package json, 256 KiB at most. What is larger
// belongs into a file, or a call.
func (a *Actor) Return(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("actor: result: %w", err)
	}
	if len(b) > maxResult {
		return fmt.Errorf("actor: result of %d bytes, at most %d: %w", len(b), maxResult, syscall.EMSGSIZE)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.result = b
	return nil
}

// Crashing tells the parent that this process is about to end for err, and not
// because its entry point returns: by a panic in another goroutine (see Panicked).
// How the entry point ends is not told any more. It does not end the process.
func (a *Actor) Crashing(err error) {
	a.say(channel.Ended{Error: a.Errors.Fault(err, a.Name)})
}

// say sends the last word, of which there is one.
func (a *Actor) say(ended channel.Ended) {
	a.mu.Lock()
	ended.Result = a.result
	said := a.said
	a.said = true
	a.mu.Unlock()
	if !said {
		say(a.channel, ended)
	}
}

// say sends a last word.
func say(ch *channel.Channel, ended channel.Ended) {
	ctx, cancel := context.WithTimeout(context.Background(), sendTime)
	defer cancel()
	ch.Send(ctx, channel.TypeEnded, ended)
}
