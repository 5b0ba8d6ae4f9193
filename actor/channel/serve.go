package channel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/hatchery-spawn/hatchery/internal/lane"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// ErrUnknown is what a function given to Serve returns for a frame that it does
// not know.
var ErrUnknown = errors.New("not known here")

// Serve receives frames until the channel ends. It calls owner with all that
// are neither answers nor connections, one after the other; what owner returns
// answers a request, and for a frame that is none only an error of the protocol
// counts: it ends Serve. Owner must not wait for long.
//
// The error is io.EOF when the peer is gone, os.ErrClosed after End, and of kind
// spawn.ErrProtocol when the peer did not keep to the protocol. The channel is
// not ended by that: End says why.
func (c *Channel) Serve(owner func(*Message) error) error {
	var f lane.Frame
	for {
		err := c.conn.Recv(&f)
		switch {
		case errors.Is(err, lane.ErrFrame):
			return protocolError("what came is no frame", err)
		case err != nil:
			return err
		}
		m := &Message{Type: Type(f.Type), ID: f.ID, Payload: f.Payload, fds: f.FDs}
		err = c.take(m, owner)
		for _, fd := range m.fds {
			if fd >= 0 {
				closeFD(fd)
			}
		}
		if err != nil {
			return err
		}
	}
}

// take deals with a message. An error of it ends the channel.
func (c *Channel) take(m *Message, owner func(*Message) error) error {
	if !json.Valid(m.Payload) {
		return protocolError(fmt.Sprintf("%s frame: the payload is no JSON", m.Type), nil)
	}
	switch m.Type {
	case TypeAnswer:
		return c.answered(m)
	case TypeConnect:
		return c.connected(m)
	}
	err := owner(m)
	switch {
	case m.ID == 0 && isProtocolError(err):
		return err
	case m.ID == 0:
	case errors.Is(err, ErrUnknown):
		c.answer(m.ID, fmt.Errorf("a request of %s is %w", m.Type, err))
	default:
		c.answer(m.ID, err)
	}
	if m.Then != nil {
		m.Then()
	}
	return nil
}

// answered gives an answer to whoever waits for it, if somebody still does.
func (c *Channel) answered(m *Message) error {
	var a Answer
	if err := m.Decode(&a); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if w := c.waiting[m.ID]; w != nil {
		delete(c.waiting, m.ID)
		w <- a.Error
	}
	return nil
}

// answer answers a request. That the peer is gone is for Recv to say.
func (c *Channel) answer(id uint64, err error) {
	c.send(context.Background(), TypeAnswer, id, Answer{Error: asFault(err)})
}

func isProtocolError(err error) bool { return errors.Is(err, spawn.ErrProtocol) }
