//go:build !amd64 && !arm64

package linux

import (
	"errors"
	"syscall"
)

// DeafTo returns errors.ErrUnsupported.
func DeafTo(sig syscall.Signal) error { return errors.ErrUnsupported }
