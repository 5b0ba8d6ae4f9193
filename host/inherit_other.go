//go:build !linux

package host

import "github.com/hatchery-spawn/hatchery/spawn"

// inherited is what a child gets from its parent without being told: here
// what the keeper had when it was started.
type inherited struct{}

func inheritedNow() inherited { return inherited{} }

func (in inherited) steps(base inherited) []spawn.Step { return nil }
