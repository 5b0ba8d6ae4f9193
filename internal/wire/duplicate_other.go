//go:build !unix

package wire

import (
	"errors"
	"os"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// duplicates fails for a Spec with descriptors: they cannot be sent here.
func duplicates(s *spawn.Spec) ([]*os.File, error) {
	if len(s.OpenFiles()) > 0 {
		return nil, errors.ErrUnsupported
	}
	return nil, nil
}
