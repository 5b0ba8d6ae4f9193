//go:build !(linux && (amd64 || arm64))

package host

import "github.com/hatchery-spawn/hatchery/spawn"

// inherited is what a child gets from its parent without being told: here
// what the keeper had when it was started.
type inherited struct{}

type gatherer struct{}

func newGatherer() *gatherer { return &gatherer{} }

func (g *gatherer) close() {}

func (g *gatherer) now() inherited { return inherited{} }

func keeperBase(in inherited, pid int) inherited { return in }

func sameBirth(in, then inherited) bool { return true }

func (in inherited) steps(base inherited, at int) []spawn.Step { return nil }
