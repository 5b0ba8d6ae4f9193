// Package roottest runs the tests of programs that are the root of a tree and the actors
// in it: their test binaries are both, too.
package roottest

import (
	"testing"

	"github.com/hatchery-spawn/hatchery/actor"
	"github.com/hatchery-spawn/hatchery/backends"
	"github.com/hatchery-spawn/hatchery/host"
)

// Main does what the main of such a program does, with the tests for the root, and returns
// the exit code.
func Main(m *testing.M, p actor.Program) int {
	host.Init(backends.Builtin()...)
	if code, ok := p.Run(); ok {
		return code
	}
	return m.Run()
}
