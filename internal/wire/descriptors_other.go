//go:build !unix

package wire

import "errors"

// checkDescriptors fails: a plugin inherits descriptors by number.
func checkDescriptors() error { return errors.ErrUnsupported }
