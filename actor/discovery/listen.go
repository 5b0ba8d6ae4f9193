package discovery

import (
	"context"
	"crypto/tls"
	"net"
	"os"
	"sync"

	"github.com/hatchery-spawn/hatchery/actor/discovery/address"
)

// A gate is a listener that lets in only those who may: on loopback and Unix
// sockets this user, elsewhere who has a certificate.
type gate struct {
	net.Listener
	addr   address.Addr  // which it listens at
	tls    *tls.Config   // nil without
	places chan struct{} // room for MaxStrangers
}

// listen listens at all of the addresses, or at none.
func (c *Config) listen(ctx context.Context, addrs []address.Addr) ([]*gate, error) {
	var gates []*gate
	for _, a := range addrs {
		g, err := c.listenAt(ctx, a)
		if err != nil {
			closeAll(gates)
			return nil, at("listen at", a, err)
		}
		gates = append(gates, g)
	}
	return gates, nil
}

func closeAll(gates []*gate) {
	for _, g := range gates {
		g.Close()
	}
}

func (c *Config) listenAt(ctx context.Context, a address.Addr) (*gate, error) {
	if err := c.allowed(a); err != nil {
		return nil, err
	}
	if a.IsUnix() {
		if err := clear(a.Path()); err != nil {
			return nil, err
		}
	}
	lc := net.ListenConfig{KeepAliveConfig: keepAlive()}
	network, text := a.Dial()
	l, err := lc.Listen(ctx, network, text)
	if err != nil {
		return nil, err
	}
	g := &gate{Listener: l, addr: a, places: make(chan struct{}, MaxStrangers)}
	if a.IsUnix() {
		if err := os.Chmod(a.Path(), 0o600); err != nil {
			l.Close()
			return nil, err
		}
		return g, nil
	}
	if g.addr, err = address.TCP(endOf(l.Addr())); err != nil {
		l.Close()
		return nil, err
	}
	if c.TLS != nil {
		g.tls = c.TLS.Clone()
		g.tls.MinVersion = tls.VersionTLS13
		g.tls.ClientAuth = tls.RequireAndVerifyClientCert
		if g.tls.ClientCAs == nil {
			g.tls.ClientCAs = g.tls.RootCAs
		}
	}
	return g, nil
}

// Accept waits for somebody who may come in. Of who may not nothing is read.
func (g *gate) Accept() (net.Conn, error) {
	for {
		c, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if g.tls == nil {
			if checkPeer(c) == nil {
				return c, nil
			}
			c.Close()
			continue
		}
		select {
		case g.places <- struct{}{}:
			noticeCut(c)
			return &stranger{Conn: tls.Server(c, g.tls), raw: c, known: sync.OnceFunc(func() { <-g.places })}, nil
		default:
			c.Close()
		}
	}
}

// A stranger is a connection that has to show a certificate: in the handshake, which
// is that of the first read, and which the deadline of that ends.
type stranger struct {
	net.Conn
	raw   net.Conn // below TLS, which would say good-bye to who does not read
	known func()   // gives the place to another stranger
}

// Read reads what somebody has sent who is no stranger any more.
func (s *stranger) Read(b []byte) (int, error) {
	n, err := s.Conn.Read(b)
	if err == nil {
		s.known()
	}
	return n, err
}

// Close closes the connection.
func (s *stranger) Close() error {
	err := s.raw.Close()
	s.known()
	return err
}
