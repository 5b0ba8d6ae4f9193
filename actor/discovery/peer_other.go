//go:build !linux

package discovery

import (
	"errors"
	"net"
	"time"
)

// setUserTimeout does nothing here.
func setUserTimeout(*net.TCPConn, time.Duration) {}

// peerUser cannot tell here. Connections within the host need Config.TLS, or a
// Unix socket in a private folder, which are not checked further.
func peerUser(c net.Conn) (int, error) {
	if _, ok := c.(*net.UnixConn); ok {
		return 0, nil
	}
	return 0, errors.ErrUnsupported
}
