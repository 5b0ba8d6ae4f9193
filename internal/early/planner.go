package early

import "github.com/hatchery-spawn/hatchery/spawn"

// Name is argv[0] of a program that was executed again to serve a built-in
// method; argv[1] is the key.
const Name = "hatchery-plugin"

// A Planner makes a plan without waiting for anything. It owns none of the
// plan's files: they are none.
type Planner func(*spawn.Spec) (*spawn.Plan, error)
