//go:build !unix

package host

import "github.com/hatchery-spawn/hatchery/spawn"

// denied says nothing: there are no modes here.
func denied(string, *spawn.Credential) string { return "" }
