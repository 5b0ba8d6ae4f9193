package discovery

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"syscall"

	"github.com/hatchery-spawn/hatchery/actor/discovery/address"
	"github.com/hatchery-spawn/hatchery/actor/portal"
)

// meet connects to an address and asks who is there, within MeetTime. The portal
// is the caller's to close.
func (c *Config) meet(ctx context.Context, a address.Addr) (*portal.Portal, Identity, error) {
	ctx, cancel := context.WithTimeout(ctx, MeetTime)
	defer cancel()
	conn, err := c.dial(ctx, a)
	if err != nil {
		return nil, Identity{}, at("connect to", a, err)
	}
	local := c.TLS == nil && !a.IsUnix()
	p := portal.Dialed(conn, c.Portal)
	nonce := newNonce()
	id, err := portal.Call[Identity](ctx, p, fnHello, greeting{nonce})
	switch {
	case err != nil && ctx.Err() != nil && context.Cause(ctx) != context.DeadlineExceeded:
		err = context.Cause(ctx)
	case err != nil && ctx.Err() != nil:
		err = fmt.Errorf("%w within %v: %w", ErrOccupied, MeetTime, err)
	case err != nil:
		err = fmt.Errorf("%w: %w", ErrOccupied, err)
	case id.Protocol != Protocol:
		err = fmt.Errorf("%w: protocol %d, this program speaks %d", ErrOccupied, id.Protocol, Protocol)
	case id.Nonce != nonce:
		err = fmt.Errorf("%w: it has answered another question", ErrOccupied)
	case local:
		err = checkPeer(conn) // now that the other end has been accepted
	}
	if err != nil {
		p.Close()
		return nil, Identity{}, at("connect to", a, err)
	}
	return p, id, nil
}

// dial connects to an address.
func (c *Config) dial(ctx context.Context, a address.Addr) (net.Conn, error) {
	if err := a.Reachable(); err != nil {
		return nil, err
	}
	if err := c.allowed(a); err != nil {
		return nil, err
	}
	d := net.Dialer{KeepAliveConfig: keepAlive()}
	network, text := a.Dial()
	conn, err := d.DialContext(ctx, network, text)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ENOTSOCK):
		return nil, fmt.Errorf("%w: %w", ErrNobody, err)
	case err != nil:
		return nil, err
	case a.IsUnix():
		if err := checkPeer(conn); err != nil {
			conn.Close()
			return nil, err
		}
		return conn, nil
	case c.TLS == nil:
		return conn, nil
	}
	noticeCut(conn)
	cfg := c.TLS.Clone()
	cfg.MinVersion = tls.VersionTLS13
	if cfg.ServerName == "" {
		cfg.ServerName = a.AddrPort().Addr().String()
	}
	secure := tls.Client(conn, cfg)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, fmt.Errorf("%w: TLS: %w", ErrOccupied, err)
	}
	return secure, nil
}

// allowed says why an address cannot be used, to connect or to listen.
func (c *Config) allowed(a address.Addr) error {
	switch {
	case a.IsUnix():
		return checkPath(a.Path())
	case c.TLS != nil:
		return checkTLS(c.TLS)
	case !a.AddrPort().Addr().IsLoopback():
		return ErrNoTLS
	}
	return nil
}

// checkTLS refuses a configuration by which everybody could come in who has a
// certificate of some authority that the system knows.
func checkTLS(t *tls.Config) error {
	switch {
	case t.RootCAs == nil:
		return invalid("tls", "Config.TLS has no RootCAs: want the authority that has signed the actors' certificates")
	case t.InsecureSkipVerify:
		return invalid("tls", "Config.TLS has InsecureSkipVerify set: the other side's certificate has to be checked")
	case len(t.Certificates) == 0 && (t.GetCertificate == nil || t.GetClientCertificate == nil):
		return invalid("tls", "Config.TLS has no Certificates: each side shows one")
	}
	return nil
}

// Probe asks who is at an address, within MeetTime. The error is ErrNobody when
// nobody listens there, and ErrOccupied when somebody does who is no registrar or
// does not answer: then nobody else can be at the address, and nothing that comes
// from there is to be trusted.
func Probe(ctx context.Context, cfg Config, a address.Addr) (Identity, error) {
	cfg = cfg.completed()
	p, id, err := cfg.meetRegistrar(ctx, a)
	if err != nil {
		return Identity{}, err
	}
	p.Close()
	return id, nil
}

func (c *Config) meetRegistrar(ctx context.Context, a address.Addr) (*portal.Portal, Identity, error) {
	p, id, err := c.meet(ctx, a)
	if err == nil && !id.Registrar {
		p.Close()
		return nil, Identity{}, at("connect to", a, fmt.Errorf("%w: actor %q is there, which is no registrar", ErrOccupied, id.Name))
	}
	return p, id, err
}

// Dial connects to an actor by its addresses, the best first, and returns a portal
// to it, which the caller closes. Each address has MeetTime. The UID is that of the
// actor; if it is empty anybody will do. The error joins those of all addresses.
func Dial(ctx context.Context, cfg Config, uid string, addrs []address.Addr) (*portal.Portal, error) {
	cfg = cfg.completed()
	return cfg.reach(ctx, Entry{UID: uid, Addrs: addrs, Host: cfg.Host}, nil)
}

// reach connects to an actor. Suspect is called with each address at which it was
// not found.
func (c *Config) reach(ctx context.Context, e Entry, suspect func(address.Addr)) (*portal.Portal, error) {
	ordered := address.Selector{Foreign: e.Host != c.Host}.Ordered(e.Addrs)
	if len(ordered) == 0 {
		return nil, fmt.Errorf("actor %q: %w", e.Name, address.ErrNone)
	}
	var errs []error
	for _, a := range ordered {
		p, id, err := c.meet(ctx, a)
		if err == nil && e.UID != "" && id.UID != e.UID {
			p.Close()
			err = at("connect to", a, fmt.Errorf("%w: actor %q is there, which is another one", ErrOccupied, id.Name))
		}
		if err == nil {
			return p, nil
		}
		if ctx.Err() != nil {
			return nil, err
		}
		errs = append(errs, err)
		if suspect != nil && (errors.Is(err, ErrNobody) || errors.Is(err, ErrOccupied)) {
			suspect(a)
		}
	}
	return nil, errors.Join(errs...)
}
