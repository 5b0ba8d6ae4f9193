package address

import (
	"errors"
	"net"
	"net/netip"
	"slices"
)

// ErrNone is that there is no address to choose from.
var ErrNone = errors.New("no address: the actor listens nowhere, or nowhere that can be reached from here")

// A Selector chooses among the addresses of an actor. The zero value is ready
// for use.
type Selector struct {
	// Interfaces returns the IP addresses of this host, beside loopback. Nil
	// asks the system; when that does not answer, loopback alone is this host.
	// It is not called for a single address.
	Interfaces func() ([]netip.Addr, error)

	// Foreign says that the addresses are those of an actor on another host: its
	// Unix sockets are not looked at.
	Foreign bool
}

// Preferred returns the best of an actor's addresses: a Unix socket, or else a TCP
// address of this host, or else another; of several such, the last. The error is
// ErrNone when there is none.
func (s Selector) Preferred(addrs []Addr) (Addr, error) {
	ordered := s.Ordered(addrs)
	if len(ordered) == 0 {
		return Addr{}, ErrNone
	}
	return ordered[0], nil
}

// The tiers of addresses, the best first.
const (
	tierUnix = iota
	tierLocal
	tierRemote
)

// Ordered returns an actor's addresses, the best first, as Preferred chooses. Each
// is there once.
func (s Selector) Ordered(addrs []Addr) []Addr {
	seen := make(map[Addr]bool)
	var out []Addr
	for _, a := range slices.Backward(addrs) {
		if a.IsValid() && !seen[a] && !(s.Foreign && a.IsUnix()) {
			seen[a] = true
			out = append(out, a)
		}
	}
	if len(out) < 2 {
		return out // without a look at the system
	}
	tiers := s.tiers(out)
	slices.SortStableFunc(out, func(a, b Addr) int { return tiers[a] - tiers[b] })
	return out
}

// tiers returns the tier of each address.
func (s Selector) tiers(addrs []Addr) map[Addr]int {
	tiers := make(map[Addr]int)
	var ours []netip.Addr
	looked := false
	for _, a := range addrs {
		switch {
		case a.IsUnix():
			tiers[a] = tierUnix
			continue
		case a.tcp.Addr().IsLoopback(), a.tcp.Addr().IsUnspecified():
			tiers[a] = tierLocal
			continue
		}
		if !looked {
			ours, looked = s.interfaces(), true
		}
		tiers[a] = tierRemote
		if slices.Contains(ours, a.tcp.Addr()) {
			tiers[a] = tierLocal
		}
	}
	return tiers
}

// interfaces returns the addresses of this host, as Addr has them.
func (s Selector) interfaces() []netip.Addr {
	find := s.Interfaces
	if find == nil {
		find = systemInterfaces
	}
	found, err := find()
	if err != nil {
		return nil
	}
	ours := make([]netip.Addr, len(found))
	for i, ip := range found {
		ours[i] = ip.Unmap().WithZone("")
	}
	return ours
}

func systemInterfaces() ([]netip.Addr, error) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	var found []netip.Addr
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(n.IP); ok {
				found = append(found, ip)
			}
		}
	}
	return found, nil
}
