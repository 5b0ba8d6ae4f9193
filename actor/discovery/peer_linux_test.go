package discovery

import (
	"net"
	"os"
	"testing"
	"time"
)

// connected returns the two ends of a TCP connection on loopback.
func connected(t *testing.T, addr string) (client, server net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Skip("no such loopback address here: ", err)
	}
	defer l.Close()
	if client, err = net.DialTimeout("tcp", l.Addr().String(), 10*time.Second); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return client, server
}

func TestTheUserAtTheOtherEnd(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0"} {
		client, server := connected(t, addr)
		for _, c := range []net.Conn{client, server} {
			if uid, err := peerUser(c); uid != os.Geteuid() || err != nil {
				t.Errorf("%s: user %d, %v: want %d", addr, uid, err, os.Geteuid())
			}
		}
	}
}

// Who has sent something and closed the connection is nobody any more: to the kernel
// the socket is root's then, whom everybody trusts.
func TestAnEndThatWasClosed(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0"} {
		client, server := connected(t, addr)
		if _, err := client.Write([]byte("a request")); err != nil {
			t.Fatal(err)
		}
		client.Close()
		if uid, err := peerUser(server); err == nil || checkPeer(server) == nil {
			t.Errorf("%s: user %d is let in", addr, uid)
		}
	}
}
