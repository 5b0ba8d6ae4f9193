package channel

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/lane"
)

// A Channel is one end of the socket between an actor and its parent. Its
// methods may be called concurrently; Serve is called once. End it.
type Channel struct {
	conn *lane.Conn // closed by End
	done chan struct{}

	sending chan struct{} // room for one: a send at a time, with its deadline

	mu       sync.Mutex
	err      error // why it ended, once done is closed
	last     uint64
	waiting  map[uint64]chan<- *Fault // requests without an answer; each channel has room for it
	services map[string]func(*os.File)
}

// Pair makes a channel: ours is the parent's end, theirs becomes a descriptor
// of the child and is the caller's to close.
func Pair() (ours *Channel, theirs *os.File, err error) {
	a, b, err := lane.StreamPair()
	if err != nil {
		return nil, nil, err
	}
	theirs = os.NewFile(uintptr(b), "actor channel")
	if ours, err = open(a); err != nil {
		theirs.Close()
		return nil, nil, err
	}
	return ours, theirs, nil
}

// Open makes a Channel of a descriptor that was inherited, and which is a
// stream socket to the parent. From then on it belongs to the Channel, and is
// marked close-on-exec. When Open fails it has not been closed.
func Open(fd int) (*Channel, error) {
	if err := checkStream(fd); err != nil {
		return nil, fmt.Errorf("actor channel: descriptor %d: %w", fd, err)
	}
	c, err := lane.Open(fd, lane.Polled)
	if err != nil {
		return nil, err
	}
	return newChannel(c), nil
}

// open is Open for a descriptor of ours, which it closes when it fails.
func open(fd int) (*Channel, error) {
	c, err := lane.Open(fd, lane.Polled)
	if err != nil {
		closeFD(fd)
		return nil, err
	}
	return newChannel(c), nil
}

func newChannel(conn *lane.Conn) *Channel {
	conn.LimitPayload(MaxPayload)
	return &Channel{
		conn: conn, done: make(chan struct{}), sending: make(chan struct{}, 1),
		waiting: map[uint64]chan<- *Fault{}, services: map[string]func(*os.File){},
	}
}

// Done is closed when the channel has ended, and it is known why.
func (c *Channel) Done() <-chan struct{} { return c.done }

// Err returns why the channel ended, which is never nil then, and nil before.
// Of the channel to an actor that has died it is how that ended, of the channel
// to the parent that the parent is gone.
func (c *Channel) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// End ends the channel, because of err: requests without an answer fail with
// it, and the peer sees the end of file. It is for whoever has called Open or
// Pair; only the first call does anything.
func (c *Channel) End(err error) {
	if err == nil {
		err = errEnded
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return
	}
	c.err = err
	close(c.done)
	c.conn.Close()
}

// Send sends a frame that is no request, with v as JSON. It waits for a peer
// that does not read until ctx ends, and for SendTime at most; a frame that has
// been sent in part then ends the channel.
func (c *Channel) Send(ctx context.Context, t Type, v any) error {
	return c.send(ctx, t, 0, v)
}

// Request sends a request and waits for the answer. The error matches
// ErrRefused when the peer has answered with one, and the context's when it
// ended before the answer came. An end of the channel meanwhile is Err's.
func (c *Channel) Request(ctx context.Context, t Type, v any) error { return c.request(ctx, t, v) }

func (c *Channel) request(ctx context.Context, t Type, v any, fds ...int) error {
	answer := make(chan *Fault, 1)
	c.mu.Lock()
	if err := c.err; err != nil {
		c.mu.Unlock()
		return err
	}
	c.last++
	id := c.last
	c.waiting[id] = answer
	c.mu.Unlock()
	defer c.forget(id)
	if err := c.send(ctx, t, id, v, fds...); err != nil {
		return err
	}
	select {
	case f := <-answer:
		return refusal(t, f)
	case <-ctx.Done():
	case <-c.done:
	}
	select {
	case f := <-answer: // it may have been the peer's last
		return refusal(t, f)
	case <-c.done:
		return c.Err()
	default:
		return fmt.Errorf("actor channel: %s: no answer: %w", t, ctx.Err())
	}
}

func (c *Channel) forget(id uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.waiting, id)
}

func (c *Channel) send(ctx context.Context, t Type, id uint64, v any, fds ...int) error {
	payload, err := encode(v)
	if err != nil {
		return fmt.Errorf("actor channel: %s: %w", t, err)
	}
	if len(payload) > MaxPayload {
		return fmt.Errorf("actor channel: %s of %d bytes, at most %d: %w", t, len(payload), MaxPayload, syscall.EMSGSIZE)
	}
	f := lane.Frame{Type: uint8(t), ID: id, Payload: payload, FDs: fds}
	if err := c.write(ctx, &f); err != nil {
		return fmt.Errorf("actor channel: %s: %w", t, err)
	}
	return nil
}

// write sends a frame before ctx ends.
func (c *Channel) write(ctx context.Context, f *lane.Frame) error {
	select {
	case c.sending <- struct{}{}:
		defer func() { <-c.sending }()
	case <-ctx.Done():
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	c.conn.SetSendDeadline(time.Now().Add(SendTime))
	hurried := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		c.conn.SetSendDeadline(time.Unix(1, 0))
		close(hurried)
	})
	err := c.conn.Send(f)
	if !stop() {
		<-hurried // or it would hurry the next
	}
	if errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}
