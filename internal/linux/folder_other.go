//go:build !linux

package linux

import "errors"

// OpenFolder returns errors.ErrUnsupported.
func OpenFolder(string) (int, error) { return -1, errors.ErrUnsupported }

// MakeFolderAt returns errors.ErrUnsupported.
func MakeFolderAt(int, string) (int, error) { return -1, errors.ErrUnsupported }

// RemoveFolderAt returns errors.ErrUnsupported.
func RemoveFolderAt(int, string) error { return errors.ErrUnsupported }

// ReadFileAt returns errors.ErrUnsupported.
func ReadFileAt(int, string, []byte) ([]byte, error) { return nil, errors.ErrUnsupported }
