//go:build !linux || !(amd64 || arm64)

package launch

import "errors"

// Park returns errors.ErrUnsupported.
func (t *Thread) Park(*Request) (Child, error) { return Child{Pidfd: -1}, errors.ErrUnsupported }

// Become reports that there is no child.
func (t *Thread) Become(*Request, func() bool) (child Child, there bool, err error) {
	return Child{Pidfd: -1}, false, nil
}

// Unpark does nothing.
func (t *Thread) Unpark() {}
