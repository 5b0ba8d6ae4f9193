//go:build !linux

package linux

import "errors"

// SealedMemfd returns errors.ErrUnsupported: sealed memory is Linux's.
func SealedMemfd(string, []byte) (int, error) { return -1, errors.ErrUnsupported }

// CheckSealed returns errors.ErrUnsupported: sealed memory is Linux's.
func CheckSealed(int, int64) error { return errors.ErrUnsupported }
