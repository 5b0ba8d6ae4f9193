//go:build !linux

package linux

import "errors"

// A WindowSize is the size of a terminal in characters, and in pixels where
// that is known.
type WindowSize struct{ Rows, Columns, Width, Height uint16 }

// OpenPTY returns errors.ErrUnsupported.
func OpenPTY() (master, slave int, name string, err error) {
	return -1, -1, "", errors.ErrUnsupported
}

// GetWindowSize returns errors.ErrUnsupported.
func GetWindowSize(fd int) (WindowSize, error) { return WindowSize{}, errors.ErrUnsupported }

// SetWindowSize returns errors.ErrUnsupported.
func SetWindowSize(fd int, s WindowSize) error { return errors.ErrUnsupported }

// Foreground returns errors.ErrUnsupported.
func Foreground(fd int) (int, error) { return 0, errors.ErrUnsupported }

// SetForeground returns errors.ErrUnsupported.
func SetForeground(fd, group int) error { return errors.ErrUnsupported }

// InputMode returns errors.ErrUnsupported.
func InputMode(fd int) (eof byte, canonical bool, err error) {
	return 0, false, errors.ErrUnsupported
}

// InputPending returns errors.ErrUnsupported.
func InputPending(master int) (bool, error) { return false, errors.ErrUnsupported }
