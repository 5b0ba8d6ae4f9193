//go:build !(linux && (amd64 || arm64))

package launch

import (
	"errors"
	"os"
)

// OpenReadOnly returns errors.ErrUnsupported.
func OpenReadOnly(folder, name string) (*os.File, error) { return nil, errors.ErrUnsupported }
