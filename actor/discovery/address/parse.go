package address

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"unicode/utf8"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// maxText is how long an address may be, in bytes.
const maxText = 4096

// want is what can be an address.
const want = "want /unix/PATH, /ip4/ADDRESS/tcp/PORT or /ip6/ADDRESS/tcp/PORT"

// badAddress is the error of something that is no address.
func badAddress(input, what string) error {
	return badInput(fmt.Sprintf("%q", clip(input)), what+": "+want)
}

func badInput(input, what string) error {
	return &spawn.Error{Op: "address", Errno: syscall.EINVAL, Msg: input + ": " + what}
}

func clip(s string) string {
	if len(s) > 100 {
		s = s[:100] + "…"
	}
	return s
}

// Parse parses a multiaddr. Doubled slashes, leading zeros of a port and IPv4
// addresses that are mapped into IPv6 come out in their canonical form. The error,
// a *[spawn.Error] with EINVAL, names the input and what can be an address.
func Parse(text string) (Addr, error) {
	switch {
	case text == "":
		return Addr{}, badAddress(text, "empty")
	case len(text) > maxText:
		return Addr{}, badAddress(text, fmt.Sprintf("%d bytes long, at most %d", len(text), maxText))
	case !utf8.ValidString(text):
		return Addr{}, badAddress(text, "not UTF-8")
	}
	a, err := parse(text)
	if err != nil {
		return Addr{}, badAddress(text, err.Error())
	}
	return a, nil
}

// ParseAll parses several. The error is that of the first that is none; there is
// no result then.
func ParseAll(text ...string) ([]Addr, error) {
	addrs := make([]Addr, 0, len(text))
	for _, t := range text {
		a, err := Parse(t)
		if err != nil {
			return nil, err
		}
		addrs = append(addrs, a)
	}
	return addrs, nil
}

// parse parses what is neither empty nor too long.
func parse(text string) (Addr, error) {
	if text[0] != '/' {
		return Addr{}, errors.New("it does not begin with a slash")
	}
	protocol, rest, _ := strings.Cut(text[1:], "/")
	switch protocol {
	case "unix":
		path, err := cleanPath("/" + rest)
		return Addr{path: path}, err
	case "ip4", "ip6":
		return parseTCP(protocol, strings.Split(strings.TrimRight(rest, "/"), "/"))
	}
	return Addr{}, fmt.Errorf("the protocol %q cannot be used", clip(protocol))
}

// parseTCP parses what is behind /ip4 and /ip6.
func parseTCP(family string, parts []string) (Addr, error) {
	ip, err := netip.ParseAddr(parts[0])
	switch {
	case err != nil || ip.Is4() != (family == "ip4"):
		return Addr{}, fmt.Errorf("%q is no address of /%s", clip(parts[0]), family)
	case ip.Zone() != "":
		return Addr{}, errors.New("an address with a zone")
	case len(parts) == 1:
		return Addr{}, errors.New("an IP address without a port")
	case parts[1] != "tcp":
		return Addr{}, fmt.Errorf("the protocol %q cannot be used behind /%s", clip(parts[1]), family)
	case len(parts) == 2:
		return Addr{}, errors.New("no port behind /tcp")
	case len(parts) > 3:
		return Addr{}, fmt.Errorf("the protocol %q cannot be used behind /tcp", clip(parts[3]))
	}
	port, err := strconv.ParseUint(parts[2], 10, 16)
	if err != nil {
		return Addr{}, fmt.Errorf("no port %q: it is a number up to 65535", clip(parts[2]))
	}
	return Addr{tcp: netip.AddrPortFrom(ip.Unmap(), uint16(port))}, nil
}

// cleanPath returns a path without empty parts and dots. One with ".." is refused:
// what it means depends on links.
func cleanPath(path string) (string, error) {
	switch {
	case !strings.HasPrefix(path, "/"):
		return "", errors.New("the path is not absolute")
	case strings.ContainsRune(path, 0):
		return "", errors.New("a NUL byte in the path")
	case len(path) > maxText:
		return "", fmt.Errorf("a path of %d bytes, at most %d", len(path), maxText)
	case !utf8.ValidString(path):
		return "", errors.New("the path is not UTF-8")
	}
	var b strings.Builder
	for part := range strings.SplitSeq(path, "/") {
		switch part {
		case "", ".":
		case "..":
			return "", errors.New(`".." in the path`)
		default:
			b.WriteString("/" + part)
		}
	}
	if b.Len() == 0 {
		return "", errors.New("an empty path")
	}
	return b.String(), nil
}
