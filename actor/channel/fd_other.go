//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package channel

import (
	"errors"
	"os"
)

// No channel can be opened on this system, which does not pass descriptors.

func closeFD(int) {}

func checkStream(int) error { return errors.ErrUnsupported }

func connection(int) (*os.File, error) { return nil, errors.ErrUnsupported }
