// Package early serves the built-in methods whose plans take nothing but a
// function, before the program is initialised. It is linked by package backends,
// and does nothing in a process that no host has started for it. See
// internal/early for how.
package early

import (
	"os"
	"syscall"

	"github.com/hatchery-spawn/hatchery/backends/forkexec/plan"
	"github.com/hatchery-spawn/hatchery/internal/early"
)

// Serves reports whether the method of the given key is served here.
func Serves(key string) bool { return planner(key) != nil }

func planner(key string) early.Planner {
	switch key {
	case plan.Key:
		return plan.Make
	}
	return nil
}

// init is the way in of a built-in planner, as internal/keeper has one for the
// keeper: packages are initialised in the order of their import paths, and what
// this one imports comes before grpc.
func init() {
	if len(os.Args) != 2 || os.Args[0] != early.Name {
		return
	}
	if p := planner(os.Args[1]); p != nil && early.Serve(p) {
		syscall.Exit(0) // os.Exit takes a second under the race detector
	}
}
