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
	addr   address.Addr // which it listens at
	tls    *tls.Config  // nil without
	places chan struct{}
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
	g := &gate{Listener: l, addr: a, places: make(chan struct{}, MaxConnections)}
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
		select {
		case g.places <- struct{}{}:
		default:
			c.Close()
			continue
		}
		if g.tls == nil {
			if err := checkPeer(c); err != nil {
				<-g.places
				c.Close()
				continue
			}
			return &guest{Conn: c, raw: c, left: func() { <-g.places }}, nil
		}
		noticeCut(c)
		// The handshake is that of the first read, which has a deadline.
		return &guest{Conn: tls.Server(c, g.tls), raw: c, left: func() { <-g.places }}, nil
	}
}

// A guest is a connection that has come in.
type guest struct {
	net.Conn
	raw  net.Conn // below TLS, which would say good-bye to who does not read
	once sync.Once
	left func()
}

// Close closes the connection, and gives its place to another.
func (g *guest) Close() error {
	err := g.raw.Close()
	g.once.Do(g.left)
	return err
}
