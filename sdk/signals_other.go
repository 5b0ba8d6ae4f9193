//go:build !unix

package sdk

import "os"

// harmless lists the signals that must not end a plugin.
func harmless() []os.Signal { return []os.Signal{os.Interrupt} }
