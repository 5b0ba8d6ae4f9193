package lane

import (
	"errors"
	"os"
	"syscall"
	"testing"
)

func TestPair(t *testing.T) {
	noLeak(t)
	a, b, err := Pair()
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(a)
	defer syscall.Close(b)
	for _, fd := range []int{a, b} {
		kind, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_TYPE)
		if err != nil || kind != syscall.SOCK_SEQPACKET {
			t.Errorf("type %d (%v), want SOCK_SEQPACKET", kind, err)
		}
		flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFD, 0)
		if errno != 0 || flags&syscall.FD_CLOEXEC == 0 {
			t.Errorf("flags %#x (%v), want close-on-exec", flags, errno)
		}
	}
}

// TestOpenSetsFlags: an inherited descriptor has neither flag as it should be.
func TestOpenSetsFlags(t *testing.T) {
	everyKind(t, func(t *testing.T, kind int, mode Mode) {
		a, b := rawPair(t, kind)
		defer syscall.Close(b)
		if err := syscall.SetNonblock(a, mode == Blocking); err != nil {
			t.Fatal(err)
		}
		if _, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(a), syscall.F_SETFD, 0); errno != 0 {
			t.Fatal(errno)
		}
		c := open(t, a, mode)
		flags, _, _ := syscall.Syscall(syscall.SYS_FCNTL, uintptr(c.Fd()), syscall.F_GETFD, 0)
		if flags&syscall.FD_CLOEXEC == 0 {
			t.Error("not close-on-exec")
		}
		flags, _, _ = syscall.Syscall(syscall.SYS_FCNTL, uintptr(c.Fd()), syscall.F_GETFL, 0)
		if nonblock := flags&syscall.O_NONBLOCK != 0; nonblock != (mode != Blocking) {
			t.Errorf("O_NONBLOCK %v", nonblock)
		}
	})
}

func TestOpenRefuses(t *testing.T) {
	noLeak(t)
	pipe := make([]int, 2)
	if err := syscall.Pipe2(pipe, syscall.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	dgram, dgram2 := rawPair(t, syscall.SOCK_DGRAM)
	lone, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_SEQPACKET|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	inet, inet2 := inetPair(t)
	for name, tc := range map[string]struct {
		fd   int
		want error
	}{
		"closed":       {1 << 20, syscall.EBADF},
		"pipe":         {pipe[0], syscall.ENOTSOCK},
		"dgram":        {dgram, syscall.EPROTOTYPE},
		"unconnected":  {lone, syscall.ENOTCONN},
		"not a family": {inet, syscall.EAFNOSUPPORT},
	} {
		if c, err := Open(tc.fd, Polled); c != nil || !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
	// It closed none of them: each close succeeds.
	for _, fd := range []int{pipe[0], pipe[1], dgram, dgram2, lone, inet, inet2} {
		if err := syscall.Close(fd); err != nil {
			t.Errorf("descriptor %d was closed by Open", fd)
		}
	}
}

// inetPair is a connected pair of TCP sockets.
func inetPair(t *testing.T) (a, b int) {
	t.Helper()
	must := func(fd int, err error) int {
		t.Helper()
		if err != nil {
			t.Fatal(os.NewSyscallError("socket", err))
		}
		return fd
	}
	l := must(syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0))
	defer syscall.Close(l)
	must(0, syscall.Bind(l, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	must(0, syscall.Listen(l, 1))
	addr, err := syscall.Getsockname(l)
	must(0, err)
	a = must(syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0))
	must(0, syscall.Connect(a, addr))
	b, _, err = syscall.Accept(l)
	return a, must(b, err)
}
