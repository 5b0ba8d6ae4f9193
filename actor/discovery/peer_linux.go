package discovery

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// peerUser returns the user of the process at the other end of a connection within
// this host: of a Unix socket by SO_PEERCRED (unix(7)), of TCP on loopback by the
// kernel's table of sockets (proc(5)), which has both ends.
func peerUser(c net.Conn) (int, error) {
	if u, ok := c.(*net.UnixConn); ok {
		return unixUser(u)
	}
	local, remote := ends(c)
	return tcpUser(remote, local)
}

func unixUser(c *net.UnixConn) (int, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	var cred *syscall.Ucred
	cerr := raw.Control(func(fd uintptr) {
		cred, err = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	})
	if err := errors.Join(cerr, os.NewSyscallError("getsockopt SO_PEERCRED", err)); err != nil {
		return 0, err
	}
	return int(cred.Uid), nil
}

// tcpUserTimeout is TCP_USER_TIMEOUT of tcp(7), since Linux 2.6.37, which package
// syscall does not have.
const tcpUserTimeout = 0x12

// setUserTimeout ends a connection when what was sent has not arrived for so long.
func setUserTimeout(c *net.TCPConn, d time.Duration) {
	if raw, err := c.SyscallConn(); err == nil {
		raw.Control(func(fd uintptr) {
			syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(d.Milliseconds()))
		})
	}
}

// tcpUser returns the user of the socket whose own end is local. What a process has
// let go of is root's in the kernel's tables, whoever that was: a socket has to be
// connected still, and root's is looked at again, since the table is no snapshot.
func tcpUser(local, remote netip.AddrPort) (int, error) {
	uid, err := tcpOwner(local, remote)
	if err == nil && uid == 0 {
		return tcpOwner(local, remote)
	}
	return uid, err
}

func tcpOwner(local, remote netip.AddrPort) (int, error) {
	files := []string{"/proc/net/tcp6"} // which has IPv4 connections of IPv6 sockets too
	if local.Addr().Is4() {
		files = []string{"/proc/net/tcp", "/proc/net/tcp6"}
	}
	var errs []error
	for i, file := range files {
		wide := i > 0 || len(files) == 1
		uid, err := userIn(file, " "+socketName(local, wide)+" "+socketName(remote, wide)+" ")
		if err == nil {
			return uid, nil
		}
		errs = append(errs, err)
	}
	return 0, errors.Join(errs...)
}

// established is TCP_ESTABLISHED as those tables have it.
const established = "01"

// userIn looks for a line of a table of sockets.
func userIn(file, ends string) (int, error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if _, rest, ok := strings.Cut(lines.Text(), ends); ok {
			// state, queues, timer, retransmissions, user
			fields := strings.Fields(rest)
			switch {
			case len(fields) < 5:
			case fields[0] != established:
				return 0, fmt.Errorf("%s: the other end has been closed", file)
			default:
				return strconv.Atoi(fields[4])
			}
		}
	}
	if err := lines.Err(); err != nil {
		return 0, err
	}
	return 0, fmt.Errorf("%s does not have the socket", file)
}

// socketName returns an end of a connection as those tables have it: words of 32
// bits, in the order of this machine's bytes.
func socketName(ap netip.AddrPort, wide bool) string {
	ip := ap.Addr().AsSlice()
	if wide {
		all := ap.Addr().As16()
		ip = all[:]
	}
	var b strings.Builder
	for i := 0; i < len(ip); i += 4 {
		word := ip[i : i+4]
		if binary.NativeEndian.Uint16([]byte{1, 0}) == 1 {
			fmt.Fprintf(&b, "%02X%02X%02X%02X", word[3], word[2], word[1], word[0])
		} else {
			fmt.Fprintf(&b, "%02X%02X%02X%02X", word[0], word[1], word[2], word[3])
		}
	}
	fmt.Fprintf(&b, ":%04X", ap.Port())
	return b.String()
}
