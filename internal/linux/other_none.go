//go:build !unix

package linux

import "errors"

// CloseFrom returns errors.ErrUnsupported.
func CloseFrom(first int) error { return errors.ErrUnsupported }

// CloseOnExecFrom returns errors.ErrUnsupported.
func CloseOnExecFrom(first int) error { return errors.ErrUnsupported }
