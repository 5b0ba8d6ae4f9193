package discovery

import (
	"fmt"
	"net"
	"net/netip"
	"os"
)

// checkPeer refuses a connection within this host whose other end is another
// user's; root is trusted by everybody.
func checkPeer(c net.Conn) error {
	uid, err := peerUser(c)
	if err != nil {
		return fmt.Errorf("%w: it cannot be told whose it is: %w", ErrForeignUser, err)
	}
	if uid != os.Geteuid() && uid != 0 {
		return fmt.Errorf("%w: user %d, this process is user %d", ErrForeignUser, uid, os.Geteuid())
	}
	return nil
}

// ends returns the two ends of a TCP connection.
func ends(c net.Conn) (local, remote netip.AddrPort) {
	return endOf(c.LocalAddr()), endOf(c.RemoteAddr())
}

func endOf(a net.Addr) netip.AddrPort {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := t.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap().WithZone(""), ap.Port())
}
