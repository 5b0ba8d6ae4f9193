package discovery

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"slices"

	"github.com/hatchery-spawn/hatchery/actor/discovery/address"
)

// BindVariable is the variable (parent.Spec.Variables) with the addresses at which
// the actors below listen that were not told their own: multiaddrs, separated by
// blanks. As all variables it is passed on from level to level. Port 0 has the
// system choose a port for each of them.
const BindVariable = "hatchery.bind"

// A Binding is what is known of where an actor is to listen.
type Binding struct {
	Asked    []address.Addr // what was asked for; may be empty
	Registry []address.Addr // the addresses of the registrar

	// Socket is the path of a Unix socket that is the actor's own (actor.Actor has
	// it). Empty means a new one beside the registrar's.
	Socket string
}

var errNowhere = errors.New("nowhere to listen at: no address was given, and there is no registrar in whose space one could be chosen")

// Registrar returns where a registrar listens: at what was asked for, and at the
// addresses of the registrar, in this order, each once.
func (b Binding) Registrar() ([]address.Addr, error) {
	all := once(slices.Concat(b.Asked, b.Registry))
	if len(all) == 0 {
		return nil, errNowhere
	}
	return all, nil
}

// Actor returns where any other actor listens: at what was asked for, or else at one
// address in the space of the registrar that nobody else has: a Unix socket if the
// registrar has one, and a port that the system chooses if it has not.
func (b Binding) Actor() ([]address.Addr, error) {
	if len(b.Asked) > 0 {
		return once(b.Asked), nil
	}
	if len(b.Registry) == 0 {
		return nil, errNowhere
	}
	best, err := address.Selector{}.Preferred(b.Registry)
	if err != nil {
		return nil, err
	}
	var own address.Addr
	if best.IsUnix() {
		path := b.Socket
		if path == "" {
			path = filepath.Join(filepath.Dir(best.Path()), newNonce()[:16]+".sock")
		}
		own, err = address.Unix(path)
	} else {
		own, err = facing(best.AddrPort())
	}
	if err != nil {
		return nil, err
	}
	return []address.Addr{own}, nil
}

// facing returns the address of this host by which another is reached, with port 0.
func facing(to netip.AddrPort) (address.Addr, error) {
	if to.Addr().IsLoopback() {
		return address.TCP(netip.AddrPortFrom(to.Addr(), 0))
	}
	c, err := net.Dial("udp", to.String()) // nothing is sent
	if err != nil {
		return address.Addr{}, fmt.Errorf("the interface that faces %v: %w", to, err)
	}
	defer c.Close()
	ip := netip.MustParseAddrPort(c.LocalAddr().String()).Addr().WithZone("")
	return address.TCP(netip.AddrPortFrom(ip, 0))
}

func once(addrs []address.Addr) []address.Addr {
	var out []address.Addr
	for _, a := range addrs {
		if a.IsUnix() || a.AddrPort().Port() != 0 { // port 0 is another one each time
			if slices.Contains(out, a) {
				continue
			}
		}
		out = append(out, a)
	}
	return out
}

// Addresses returns addresses that were given in any of these forms: a multiaddr, a
// pair of host and port ([2]any or []any), an address.Addr, a netip.AddrPort, or a list,
// []string or []address.Addr. The error names the one that is none, by its place.
func Addresses(given ...any) ([]address.Addr, error) {
	var out []address.Addr
	for i, g := range given {
		addrs, err := addressesOf(g)
		if err != nil {
			return nil, fmt.Errorf("address %d: %w", i+1, err)
		}
		out = append(out, addrs...)
	}
	return out, nil
}

func addressesOf(given any) ([]address.Addr, error) {
	one := func(a address.Addr, err error) ([]address.Addr, error) { return []address.Addr{a}, err }
	switch g := given.(type) {
	case string:
		return one(address.Parse(g))
	case address.Addr:
		if !g.IsValid() {
			return nil, invalid("address", "the zero address")
		}
		return []address.Addr{g}, nil
	case netip.AddrPort:
		return one(address.TCP(g))
	case [2]any:
		return pairOf(g[:])
	case []any:
		return pairOf(g)
	case []string:
		return address.ParseAll(g...)
	case []address.Addr:
		return g, nil
	}
	return nil, invalid("address", "%v of type %T: want a multiaddr, a pair of host and port, or a parsed address", given, given)
}

func pairOf(pair []any) ([]address.Addr, error) {
	if len(pair) == 2 {
		host, ok := pair[0].(string)
		var port int64
		switch p := pair[1].(type) {
		case int:
			port = int64(p)
		case int64:
			port = p
		case uint16:
			port = int64(p)
		default:
			ok = false
		}
		if ok {
			a, err := address.Pair(host, port)
			return []address.Addr{a}, err
		}
	}
	return nil, invalid("address", "%v: want a pair of a host, a string, and a port, a number", pair)
}
