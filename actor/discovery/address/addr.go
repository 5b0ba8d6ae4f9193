package address

import (
	"net/netip"
	"strconv"
)

// An Addr is the address of an actor: a Unix socket's path, or an IP address and
// a TCP port. It is a value, and equal to every Addr of the same address. The
// zero value is none.
type Addr struct {
	path string         // of a Unix socket: absolute, clean
	tcp  netip.AddrPort // the address is unmapped, and has no zone
}

// Unix returns the address of a Unix socket by its path, which is absolute.
func Unix(path string) (Addr, error) {
	clean, err := cleanPath(path)
	if err != nil {
		return Addr{}, badAddress(path, err.Error())
	}
	return Addr{path: clean}, nil
}

// TCP returns the address of an IP address and a port. Port 0 is for listening:
// the system chooses one.
func TCP(ap netip.AddrPort) (Addr, error) {
	ip := ap.Addr()
	switch {
	case !ip.IsValid():
		return Addr{}, badAddress(ap.String(), "no IP address")
	case ip.Zone() != "":
		return Addr{}, badAddress(ap.String(), "an address with a zone")
	}
	return Addr{tcp: netip.AddrPortFrom(ip.Unmap(), ap.Port())}, nil
}

// IsValid reports whether a is an address at all.
func (a Addr) IsValid() bool { return a != Addr{} }

// IsUnix reports whether a is the address of a Unix socket.
func (a Addr) IsUnix() bool { return a.path != "" }

// Path returns the path of a Unix socket, and "" for a TCP address.
func (a Addr) Path() string { return a.path }

// AddrPort returns the IP address and the port, and the zero AddrPort for a Unix
// socket.
func (a Addr) AddrPort() netip.AddrPort { return a.tcp }

// Dial returns a as functions of package net take it: "unix" and the path, or
// "tcp" and "host:port".
func (a Addr) Dial() (network, addr string) {
	if a.IsUnix() {
		return "unix", a.path
	}
	return "tcp", a.tcp.String()
}

// Reachable returns nil if somebody could connect to a. The port 0 and the
// addresses 0.0.0.0 and :: are for listening only.
func (a Addr) Reachable() error {
	switch {
	case !a.IsValid():
		return badAddress("", "empty")
	case a.IsUnix():
		return nil
	case a.tcp.Port() == 0:
		return badAddress(a.String(), "port 0 is for listening: nobody can connect to it")
	case a.tcp.Addr().IsUnspecified():
		return badAddress(a.String(), a.tcp.Addr().String()+" is for listening: nobody can connect to it")
	}
	return nil
}

// String returns the canonical multiaddr, and "" for the zero value.
func (a Addr) String() string {
	if !a.IsValid() {
		return ""
	}
	if a.IsUnix() {
		return "/unix" + a.path
	}
	family := "/ip4/"
	if a.tcp.Addr().Is6() {
		family = "/ip6/"
	}
	return family + a.tcp.Addr().String() + "/tcp/" + strconv.Itoa(int(a.tcp.Port()))
}

// MarshalText returns String.
func (a Addr) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText parses a multiaddr.
func (a *Addr) UnmarshalText(text []byte) error {
	p, err := Parse(string(text))
	if err != nil {
		return err
	}
	*a = p
	return nil
}

// Strings returns the canonical multiaddrs of addresses.
func Strings(addrs []Addr) []string {
	text := make([]string, len(addrs))
	for i, a := range addrs {
		text[i] = a.String()
	}
	return text
}
