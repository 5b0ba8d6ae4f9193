package portal

import (
	"context"
	"errors"
	"net"

	"github.com/hatchery-spawn/hatchery/actor/channel"
)

// A link is the way to the other side.
type link interface {
	// connect makes the connection for calls. It is called once.
	connect(context.Context) (*onceConn, error)
	// Done is closed when the other side is gone, and Err says why then.
	Done() <-chan struct{}
	Err() error
}

// A channelLink is the channel between an actor and its parent.
type channelLink struct{ *channel.Channel }

func (l channelLink) connect(ctx context.Context) (*onceConn, error) {
	f, err := l.Connect(ctx, Service)
	if err != nil {
		return nil, err
	}
	return handedOver(f)
}

// A dialedLink is a connection that this side has made.
type dialedLink struct{ conn *onceConn }

func (l dialedLink) connect(context.Context) (*onceConn, error) { return l.conn, nil }
func (l dialedLink) Done() <-chan struct{}                      { return l.conn.closed }

func (l dialedLink) Err() error {
	select {
	case <-l.conn.closed:
		return errConnection
	default:
		return nil
	}
}

// A listenerLink is what those have connected to whom this side listens.
type listenerLink struct{ over chan struct{} }

func (l listenerLink) connect(context.Context) (*onceConn, error) { return nil, errOneWay }
func (l listenerLink) Done() <-chan struct{}                      { return l.over }

func (l listenerLink) Err() error {
	select {
	case <-l.over:
		return net.ErrClosed
	default:
		return nil
	}
}

var (
	errConnection = errors.New("the connection has ended")
	errOneWay     = errors.New("whoever connects to an address cannot be called back over the same connection: register an address, and be found")
)

// Dialed makes a portal of a connection to an address at which the other side has
// Serve. This side can only call: cfg.Serve is not looked at. The connection
// belongs to the portal, which has to be ended by Close.
func Dialed(conn net.Conn, cfg Config) *Portal {
	return newPortal(dialedLink{newOnceConn(conn)}, cfg)
}

// Close ends a portal of Dialed: its connection, and with ErrGone the calls that
// are under way. A portal of a channel ends with that, and Close does nothing.
func (p *Portal) Close() {
	if l, ok := p.link.(dialedLink); ok {
		l.conn.Close()
	}
}

func newPortal(l link, cfg Config) *Portal {
	return &Portal{cfg: cfg.completed(), link: l, turn: make(chan struct{}, 1)}
}
