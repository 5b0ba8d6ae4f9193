//go:build !unix

package host

import (
	"errors"
	"os"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// TakeForeground returns errors.ErrUnsupported.
func TakeForeground(tty *os.File) error { return errors.ErrUnsupported }

type foreground struct{}

func holdForeground(*spawn.Spec) *foreground { return nil }

func (f *foreground) takeBack(int) {}
