//go:build !unix

package sdk

import "errors"

// closeOnExec fails: descriptors are not inherited by number here.
func closeOnExec() error { return errors.ErrUnsupported }
