package address

import (
	"fmt"
	"net/netip"
	"strings"
)

// Pair returns the address of a host and a port, the other way to write a TCP
// address. The host is an IP address, or localhost, which is 127.0.0.1: other
// names would have to be looked up, and could mean different addresses tomorrow.
func Pair(host string, port int64) (Addr, error) {
	input := fmt.Sprintf("[%q, %d]", clip(host), port)
	if port < 0 || port > 65535 {
		return Addr{}, badPair(input, fmt.Sprintf("no port %d", port))
	}
	if strings.EqualFold(host, "localhost") {
		host = "127.0.0.1"
	}
	ip, err := netip.ParseAddr(host)
	switch {
	case err != nil:
		return Addr{}, badPair(input, "the host is neither an IP address nor localhost, and other names are not looked up")
	case ip.Zone() != "":
		return Addr{}, badPair(input, "an address with a zone")
	}
	return TCP(netip.AddrPortFrom(ip, uint16(port)))
}

func badPair(input, what string) error {
	return badInput(input, what+`: want ["ADDRESS", PORT] with a port from 0 to 65535`)
}
