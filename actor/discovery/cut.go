package discovery

import (
	"net"
	"time"
)

// CutTime is how long it takes at most until the end of another host, or of the way
// to it, is noticed.
const CutTime = 11 * time.Second

// keepAlive asks a connection on which nothing happens whether it is still there,
// and gives up after CutTime.
func keepAlive() net.KeepAliveConfig {
	return net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 2 * time.Second, Count: 3}
}

// noticeCut does the same for a connection over which something was sent that has
// not arrived: then nobody is asked, and retransmissions would go on for a quarter
// of an hour. Within this host it does nothing. A process there can be stopped for
// as long as it likes.
func noticeCut(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok && !endOf(t.RemoteAddr()).Addr().IsLoopback() {
		setUserTimeout(t, CutTime)
	}
}
