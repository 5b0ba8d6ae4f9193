// Package address has the addresses of actors, written as multiaddrs:
//
//	/unix/run/user/1000/hatchery/logger.sock
//	/ip4/127.0.0.1/tcp/1616
//	/ip6/::1/tcp/1616
//
// The smallest example:
//
//	all, err := address.ParseAll("/ip4/10.0.0.7/tcp/1616", "/unix/run/logger.sock")
//	…
//	best, err := address.Selector{}.Preferred(all) // the Unix socket
//
// # Guarantees
//
//   - An [Addr] can be compared with ==: whatever way an address was written, as
//     text, or as a pair of a host and a port, equal addresses are equal.
//   - [Addr.String] is canonical: Parse of it is the same address. An IPv4 address
//     that is mapped into IPv6 is an IPv4 address.
//   - What cannot be an address of an actor is refused, with the protocols that
//     can be.
//
// # What this package is not
//
// It resolves no names, dials nothing and looks at no file: package discovery
// does. Other protocols of multiaddrs (dns, udp, ip6zone, p2p …) are refused.
package address
