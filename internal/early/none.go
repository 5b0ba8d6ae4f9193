//go:build !linux

package early

// Serve returns false: nothing is offered where there are no keepers.
func Serve(Planner) (over bool) { return false }
