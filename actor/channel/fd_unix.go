//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package channel

import (
	"fmt"
	"os"
	"syscall"
)

func closeFD(fd int) { syscall.Close(fd) }

// checkStream says why fd is no stream socket.
func checkStream(fd int) error {
	kind, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_TYPE)
	switch {
	case err != nil:
		return os.NewSyscallError("getsockopt", err)
	case kind != syscall.SOCK_STREAM:
		return fmt.Errorf("no stream socket: %w", syscall.EPROTOTYPE)
	}
	return nil
}

// connection makes a file of a connection, which it owns from then on unless
// there is an error.
func connection(fd int) (*os.File, error) {
	if err := checkStream(fd); err != nil {
		return nil, fmt.Errorf("actor connection: %w", err)
	}
	if err := syscall.SetNonblock(fd, true); err != nil {
		return nil, fmt.Errorf("actor connection: %w", os.NewSyscallError("fcntl", err))
	}
	return os.NewFile(uintptr(fd), "actor connection"), nil
}
