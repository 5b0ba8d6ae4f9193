//go:build !linux || !(amd64 || arm64)

package launch

import "errors"

// Prepare returns errors.ErrUnsupported.
func (t *Thread) Prepare(*Request) (Namespaces, error) {
	return Namespaces{}, errors.ErrUnsupported
}

// Close does nothing.
func (n *Namespaces) Close() {}
