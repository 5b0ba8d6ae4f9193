//go:build unix

package wire

import (
	"fmt"
	"syscall"
)

// checkDescriptors reports whether the handshake pipe and the plan lane are
// where the host puts them. That something is open there means nothing: it may
// be the Go runtime's own.
func checkDescriptors() error {
	var st syscall.Stat_t
	if err := syscall.Fstat(HandshakeFD, &st); err != nil || st.Mode&syscall.S_IFMT != syscall.S_IFIFO {
		return fmt.Errorf("descriptor %d is not a pipe, for the handshake", HandshakeFD)
	}
	if err := syscall.Fstat(LaneFD, &st); err != nil || st.Mode&syscall.S_IFMT != syscall.S_IFSOCK {
		return fmt.Errorf("descriptor %d is not a socket, for the plan lane", LaneFD)
	}
	return nil
}
