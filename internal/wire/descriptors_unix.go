//go:build unix

package wire

import (
	"fmt"
	"syscall"
)

// checkDescriptors reports whether the handshake pipe and the plan lane are
// where the host puts them.
func checkDescriptors() error {
	var st syscall.Stat_t
	if err := syscall.Fstat(HandshakeFD, &st); err != nil {
		return fmt.Errorf("descriptor %d, for the handshake, is not open", HandshakeFD)
	}
	if err := syscall.Fstat(LaneFD, &st); err != nil {
		return fmt.Errorf("descriptor %d, for the plan lane, is not open", LaneFD)
	}
	if st.Mode&syscall.S_IFMT != syscall.S_IFSOCK {
		return fmt.Errorf("descriptor %d, for the plan lane, is not a socket", LaneFD)
	}
	return nil
}
