package lane

import "time"

// A Mode says how a Conn waits.
type Mode uint8

const (
	// Polled waits in the runtime's poller: a waiting goroutine costs no
	// thread. Concurrent calls of Recv take turns.
	Polled Mode = iota
	// Blocking waits in the system call itself, which is some microseconds
	// faster and keeps a thread busy. Any number of goroutines may wait in Recv
	// at once; a frame goes to one of them.
	Blocking
	// Gated is Polled for a lane that somebody reads by TryRecv at times, who
	// keeps the runtime's poller out of it meanwhile (see Conn.Shut). It costs two
	// more descriptors. Where there is no such thing it is Polled.
	Gated
)

// String returns the name of the mode.
func (m Mode) String() string {
	switch m {
	case Blocking:
		return "blocking"
	case Gated:
		return "gated"
	}
	return "polled"
}

// A Conn is one end of a lane. Its methods may be called concurrently.
type Conn struct {
	conn
}

// Pair makes a connected pair of close-on-exec, blocking descriptors: of
// SOCK_SEQPACKET on Linux, of SOCK_STREAM where there is no SEQPACKET or no
// memfd for large payloads. The caller closes both, or gives them to Open.
func Pair() (a, b int, err error) { return pair() }

// StreamPair is Pair with sockets of type SOCK_STREAM, for a peer that is written
// in a language where one kind of frame is easier than two.
func StreamPair() (a, b int, err error) { return streamPair() }

// Open makes a Conn of fd, a connected Unix socket of type SOCK_SEQPACKET or
// SOCK_STREAM. It sets close-on-exec, and the mode on the open file, which is
// shared with whoever holds a duplicate. From then on fd belongs to the Conn and
// is closed by Close. When Open fails, fd has not been closed: it may turn out to
// be something else, and somebody else's.
func Open(fd int, mode Mode) (*Conn, error) {
	c := new(Conn)
	if err := c.open(fd, mode); err != nil {
		return nil, err
	}
	return c, nil
}

// Send sends f, all of it or nothing, and waits while the socket's buffer is
// full. It keeps nothing of f and closes none of f.FDs.
//
// The error matches syscall.EPIPE when the peer is gone or the lane was shut
// down, os.ErrClosed after Close, syscall.EMSGSIZE when f is beyond the limits
// of a frame, and else the errno of sendmsg: syscall.ETOOMANYREFS when too many
// descriptors are in flight, syscall.EBADF for a descriptor that is not open. In
// each case nothing was sent and the lane is as good as before. The exception is
// a stream on which sending failed halfway: it is shut down.
func (c *Conn) Send(f *Frame) error { return c.send(f) }

// Recv waits for a frame and fills *f with it. Payload and FDs are overwritten
// and grown as needed; descriptors still listed in f.FDs are not closed. The
// descriptors received are the caller's to close.
//
// The error is io.EOF when the peer is gone or the lane was shut down and every
// frame sent before has been received. It matches ErrFrame when something came
// that is not a frame; its descriptors have been closed, Payload and FDs are
// empty, and Type and ID are the header's, as far as there was one, so that a
// request can be answered. The next Recv gets the next frame (on a stream,
// io.EOF). It matches syscall.EMFILE as well when this process has no room for
// the descriptors. It matches os.ErrClosed after Close.
func (c *Conn) Recv(f *Frame) error { return c.recv(f) }

// LimitPayload makes a longer payload than n bytes a bad frame. It is called
// before the first Recv; without it the limit is MaxPayload.
func (c *Conn) LimitPayload(n int) { c.limitPayload(n) }

// TryRecv is Recv that does not wait: the error matches syscall.EAGAIN when there
// is no frame. It is for a SOCK_SEQPACKET lane of mode Gated, which CanTry says.
func (c *Conn) TryRecv(f *Frame) error { return c.tryRecv(f) }

// CanTry reports whether TryRecv and TrySend work.
func (c *Conn) CanTry() bool { return c.canTry() }

// TrySend is Send that does not wait: the error matches syscall.EAGAIN when the
// socket's buffer is full, or when CanTry reports false.
func (c *Conn) TrySend(f *Frame) error { return c.trySend(f) }

// Shut keeps frames from waking a Recv that waits, until Unshut. Whoever calls it
// reads the lane by TryRecv meanwhile. A second Shut before that changes nothing.
func (c *Conn) Shut() { c.gateIn(false) }

// Unshut ends what Shut began: a Recv that waits is woken when there is something,
// also by what came before.
func (c *Conn) Unshut() { c.gateIn(true) }

// Unread reports, once Recv has returned io.EOF, whether the peer went without
// having read all that was sent to it. False may mean that it is not known:
// Linux alone says so, and to whoever asks first, which may have been a Send.
func (c *Conn) Unread() bool { return c.leftUnread() }

// Shutdown ends the lane in both directions, for every holder of this end: each
// Recv at either end returns io.EOF once it has received what was sent before,
// and each Send fails with EPIPE. The descriptor stays open until Close.
func (c *Conn) Shutdown() error { return c.shutdown() }

// Close closes the descriptor. Calls that wait in Send or Recv return
// os.ErrClosed; Close returns when they have left the descriptor. (In modes
// Blocking and Gated they are woken by a Shutdown, which other holders of this end notice.)
// The second Close returns os.ErrClosed.
func (c *Conn) Close() error { return c.close() }

// SetSendDeadline makes a Send that waits, and each that would wait later, fail
// with os.ErrDeadlineExceeded from t on: nothing was sent then (of a stream,
// part of the frame may have been, and it is shut down). The zero time takes
// the deadline away. In mode Blocking it does nothing.
func (c *Conn) SetSendDeadline(t time.Time) error { return c.setSendDeadline(t) }

// Fd returns the descriptor, for poll(2). It stays the Conn's: do not read,
// write or close it, and do not use it after Close.
func (c *Conn) Fd() int { return c.descriptor() }
