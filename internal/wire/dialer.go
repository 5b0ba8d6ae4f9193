package wire

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
)

// A dialer makes the one connection of a plugin. gRPC calls it, and would call
// it again after a failure: there is no second connection, as the socket is
// unlinked once the first one stands.
type dialer struct {
	mu     sync.Mutex
	addr   net.Addr
	pid    int
	conn   net.Conn // gRPC's, which closes it; closed here to cut it short
	err    error    // why there is none
	closed bool
}

var (
	errDialedBefore = errors.New("the connection to the plugin is gone; it serves only one")
	errDialerClosed = errors.New("the plugin is being stopped")
)

// target says where the plugin listens and which process it has to be.
func (d *dialer) target(addr net.Addr, pid int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.addr, d.pid = addr, pid
}

// dial is what gRPC calls.
func (d *dialer) dial(ctx context.Context, _ string) (net.Conn, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.closed:
		return nil, errDialerClosed
	case d.err != nil:
		return nil, d.err
	case d.conn != nil:
		return nil, errDialedBefore
	}
	// A Unix socket is connected or refused at once: the lock is not held
	// for long, and the context is there for a full backlog.
	var nd net.Dialer
	conn, err := nd.DialContext(ctx, d.addr.Network(), d.addr.String())
	if err == nil {
		err = checkPeer(conn, d.pid)
		if err != nil {
			conn.Close()
		}
	}
	if err != nil {
		d.err = err
		return nil, err
	}
	if d.addr.Network() == "unix" {
		os.Remove(d.addr.String()) // nobody else has to find it; go-plugin removes the folder
	}
	d.conn = conn
	return conn, nil
}

// failure returns why there is no connection, or nil.
func (d *dialer) failure() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.err
}

// close cuts the connection and refuses to make another.
func (d *dialer) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	if d.conn != nil {
		d.conn.Close()
	}
}
