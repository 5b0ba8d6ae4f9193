package portal

import (
	"context"
	"errors"
	"net"
	"sync"
)

// Serve serves cfg.Serve to everybody who connects to l, with Dialed or any gRPC
// client, until ctx ends; then it closes l and all connections, the contexts of
// handlers end, and it returns. Who may connect is l's affair: its Accept returns
// nobody else. The error is that of l, or what is wrong with cfg.Serve; it is nil
// when ctx has ended.
func Serve(ctx context.Context, l net.Listener, cfg Config) error {
	defer l.Close()
	if cfg.Serve == nil {
		cfg.Serve = new(Server)
	}
	if err := cfg.Serve.check(); err != nil {
		return err
	}
	way := listenerLink{make(chan struct{})}
	p := newPortal(way, cfg)
	all := &tracked{Listener: l, conns: map[net.Conn]struct{}{}}
	s := newServing(ctx, p)
	g := s.newServer()
	s.mu.Lock()
	s.server = g
	s.mu.Unlock()
	stop := context.AfterFunc(ctx, func() { all.Close() })
	defer stop()
	err := g.Serve(all)
	all.Close()
	close(way.over) // stops the server, and the handlers' contexts end
	g.Stop()
	if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// A tracked listener closes what it has accepted when it is closed: grpc would say
// good-bye to peers that do not read.
type tracked struct {
	net.Listener

	mu     sync.Mutex
	closed bool
	conns  map[net.Conn]struct{}
}

// Accept waits for a connection.
func (t *tracked) Accept() (net.Conn, error) {
	c, err := t.Listener.Accept()
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		c.Close()
		return nil, net.ErrClosed
	}
	k := &trackedConn{Conn: c, from: t}
	t.conns[k] = struct{}{}
	return k, nil
}

// Close closes the listener and every connection.
func (t *tracked) Close() error {
	t.mu.Lock()
	t.closed = true
	conns := t.conns
	t.conns = nil
	t.mu.Unlock()
	err := t.Listener.Close()
	for c := range conns {
		c.Close()
	}
	return err
}

type trackedConn struct {
	net.Conn
	from *tracked
}

// Close closes the connection.
func (c *trackedConn) Close() error {
	c.from.mu.Lock()
	delete(c.from.conns, c)
	c.from.mu.Unlock()
	return c.Conn.Close()
}

// Check says what is wrong with what was registered: names that cannot be used, or
// that are there twice. New and Serve fail with the same error.
func (s *Server) Check() error { return s.check() }

// Clone returns a Server with what s has, to which more can be added.
func (s *Server) Clone() *Server {
	c := new(Server)
	if s != nil {
		c.functions = append(c.functions, s.functions...)
		c.services = append(c.services, s.services...)
	}
	return c
}
