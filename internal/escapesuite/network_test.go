//go:build linux

package escapesuite

import (
	"math/rand/v2"
	"net"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// onNetwork are the attempts to talk to somebody outside.
func onNetwork() []attempt {
	refused := []syscall.Errno{syscall.ECONNREFUSED}
	return []attempt{
		{
			name: "abstract-socket", what: "connect to a server's socket without a file", stops: []layer{netLayer}, want: refused,
			scene: func(s *scene) {
				s.args = []string{"@escape-" + s.word()}
				s.listen("unix", s.args[0])
			},
			try: func(args []string) error { return dial("unix", args[0]) },
		},
		{
			name: "loopback", what: "connect to a server on the host's loopback", stops: []layer{netLayer}, want: refused,
			scene: func(s *scene) { s.args = []string{s.listen("tcp", "127.0.0.1:0").String()} },
			try:   func(args []string) error { return dial("tcp", args[0]) },
		},
		{
			name: "loopback-udp", what: "the same without a connection", stops: []layer{netLayer}, want: refused,
			scene: func(s *scene) {
				c, err := net.ListenPacket("udp", "127.0.0.1:0")
				if err != nil {
					s.Fatal(err)
				}
				s.Cleanup(func() { c.Close() })
				s.args = []string{c.LocalAddr().String()}
				s.harmed = func() bool {
					c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
					_, _, err := c.ReadFrom(make([]byte, 1))
					return err == nil
				}
			},
			try: func(args []string) error {
				c, err := net.Dial("udp", args[0])
				if err != nil {
					return err
				}
				defer c.Close()
				for range 2 { // the second hears what became of the first
					if _, err := c.Write([]byte("x")); err != nil {
						return err
					}
				}
				return nil
			},
		},
		{
			name: "raw-socket", what: "make packets of one's own", stops: []layer{filterLayer, rightsLayer}, want: []syscall.Errno{syscall.EPERM},
			try: func([]string) error { return socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP) },
		},
		{
			name: "packet-socket", what: "listen to all packets", stops: []layer{filterLayer, rightsLayer}, want: []syscall.Errno{syscall.EAFNOSUPPORT},
			try: func([]string) error { return socket(unix.AF_PACKET, unix.SOCK_RAW, 0) },
		},
		{
			name: "seldom-used-family", what: "have the kernel's cryptography at hand, or the hypervisor", stops: []layer{filterLayer}, want: []syscall.Errno{syscall.EAFNOSUPPORT},
			needs: func() string {
				if word(socket(unix.AF_VSOCK, unix.SOCK_STREAM, 0)) == "EAFNOSUPPORT" {
					return "this kernel does not have it"
				}
				return ""
			},
			try: func([]string) error {
				if err := socket(unix.AF_VSOCK, unix.SOCK_STREAM, 0); err != nil {
					return err
				}
				return nil
			},
		},
		{
			name: "shared-memory", what: "attach shared memory of the host's", stops: []layer{ipcLayer}, want: []syscall.Errno{syscall.ENOENT}, scene: segment,
			try: func(args []string) error {
				key := number(args[0])
				_, _, errno := syscall.Syscall(unix.SYS_SHMGET, uintptr(key), 0, 0)
				return errnoOrNil(errno)
			},
		},
		{
			name: "session-key", what: "read a key of the session that started it", stops: []layer{keyringLayer, filterLayer}, filtered: true, want: []syscall.Errno{syscall.EPERM}, scene: key,
			try: func(args []string) error {
				id, err := unix.KeyctlSearch(unix.KEY_SPEC_SESSION_KEYRING, "user", args[0], 0)
				if err != nil {
					return err
				}
				_, err = unix.KeyctlBuffer(unix.KEYCTL_READ, id, make([]byte, 10), 0)
				return err
			},
		},
	}
}

func dial(network, address string) error {
	c, err := net.DialTimeout(network, address, 10*time.Second)
	if err == nil {
		c.Close()
	}
	return err
}

func socket(family, kind, protocol int) error {
	fd, err := unix.Socket(family, kind, protocol)
	if err == nil {
		unix.Close(fd)
	}
	return err
}

func errnoOrNil(e syscall.Errno) error {
	if e == 0 {
		return nil
	}
	return e
}

// output runs a program and returns what it says.
func output(path string, args ...string) (string, error) {
	out, err := exec.Command(path, args...).Output()
	return strings.TrimSpace(string(out)), err
}

// segment makes shared memory.
func segment(s *scene) {
	key, id, errno := 0, uintptr(0), syscall.EEXIST
	for errno == syscall.EEXIST {
		key = 1 + rand.IntN(1<<31-1)
		id, _, errno = syscall.Syscall(unix.SYS_SHMGET, uintptr(key), 4096, unix.IPC_CREAT|unix.IPC_EXCL|0o666)
	}
	if errno != 0 {
		s.Fatal(errno)
	}
	s.Cleanup(func() { syscall.Syscall(unix.SYS_SHMCTL, id, unix.IPC_RMID, 0) })
	s.args = []string{itoa(key)}
}

// key adds a key to the session keyring of the tests.
func key(s *scene) {
	s.args = []string{"escape-" + s.word()}
	id, err := unix.AddKey("user", s.args[0], []byte(mine), unix.KEY_SPEC_SESSION_KEYRING)
	if err != nil {
		s.Skip("a key: ", err)
	}
	s.Cleanup(func() { unix.KeyctlInt(unix.KEYCTL_UNLINK, id, unix.KEY_SPEC_SESSION_KEYRING, 0, 0) })
}
