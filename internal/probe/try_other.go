//go:build !linux || !(amd64 || arm64)

package probe

import (
	"errors"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// Try fails with errors.ErrUnsupported: plans are tried on Linux alone.
func Try(*spawn.Plan) error { return errors.ErrUnsupported }
