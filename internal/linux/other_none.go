//go:build !unix

package linux

import "errors"

// CloseInherited returns errors.ErrUnsupported.
func CloseInherited(first int) error { return errors.ErrUnsupported }

// CloseOnExecFrom returns errors.ErrUnsupported.
func CloseOnExecFrom(first int) error { return errors.ErrUnsupported }
