//go:build unix && !linux

package sdk

import (
	"syscall"

	"github.com/hatchery-spawn/hatchery/internal/wire"
)

// closeOnExec marks the descriptors that the host passed on.
func closeOnExec() error {
	syscall.CloseOnExec(wire.HandshakeFD)
	syscall.CloseOnExec(wire.LaneFD)
	return nil
}
