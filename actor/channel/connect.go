package channel

import (
	"context"
	"fmt"
	"os"

	"github.com/hatchery-spawn/hatchery/internal/lane"
)

// Connect makes a connection to a service of the peer: a stream socket, one end
// of which is returned, nonblocking and close-on-exec, and is the caller's to
// close; the other end is the peer's, who has taken it when Connect returns.
// The error is that of Request; a peer that has no such service refuses.
func (c *Channel) Connect(ctx context.Context, service string) (*os.File, error) {
	a, b, err := lane.StreamPair()
	if err != nil {
		return nil, fmt.Errorf("actor channel: connect: %w", err)
	}
	defer closeFD(b)
	ours, err := connection(a)
	if err != nil {
		closeFD(a)
		return nil, err
	}
	if err := c.request(ctx, TypeConnect, Connect{Service: service}, b); err != nil {
		ours.Close()
		return nil, err
	}
	return ours, nil
}

// Handle has f called with each connection that the peer makes to a service,
// one after the other: a stream socket, nonblocking and close-on-exec, which is
// f's to close. F must hand it on rather than wait for anything. A service that
// nobody handles is refused, so call Handle before the peer may Connect: before
// the actor has said that it has started, or before it is told what to be. With
// f nil the service is handled no more.
func (c *Channel) Handle(service string, f func(*os.File)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f == nil {
		delete(c.services, service)
	} else {
		c.services[service] = f
	}
}

// connected hands a connection on, or refuses it.
func (c *Channel) connected(m *Message) error {
	if m.ID == 0 {
		return protocolError("connect frame without an id", nil)
	}
	var req Connect
	if err := m.Decode(&req); err != nil {
		return err
	}
	if len(m.fds) != 1 {
		return protocolError(fmt.Sprintf("connect frame with %d descriptors: want 1", len(m.fds)), nil)
	}
	c.mu.Lock()
	f := c.services[req.Service]
	c.mu.Unlock()
	if f == nil {
		c.answer(m.ID, fmt.Errorf("no service %q here", req.Service))
		return nil
	}
	conn, err := connection(m.fds[0])
	if err == nil {
		m.fds[0] = -1
		f(conn)
	}
	c.answer(m.ID, err)
	return nil
}
