//go:build !linux

package wire

import "net"

// checkPeer trusts the mode of the socket's folder, which is the host's alone.
func checkPeer(net.Conn, int) error { return nil }
