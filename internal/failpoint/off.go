//go:build !failpoints || !linux

package failpoint

// Enabled reports whether this is a build in which processes can be made to fail.
const Enabled = false

// Pass says that a process is at a step.
func Pass(Point) {}

// Fail is Pass for a step that can be made to fail: the error is to be taken for
// one of the step.
func Fail(Point) error { return nil }

// Environ returns what a process has to have in its environment that is executed from a
// copy of a mount: nothing.
func Environ() []string { return nil }
