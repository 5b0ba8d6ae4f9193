package isolate

import "github.com/hatchery-spawn/hatchery/backends/isolate/plan"

// Options say what the sandbox of a child is: see [plan.Options]. Their List is
// what Spec.Options takes.
//
//	spec.Options = isolate.Options{Mounts: []isolate.Mount{{Source: dir, Target: dir, Write: true}}}.List()
type Options = plan.Options

// A Mount puts something into the child's file system.
type Mount = plan.Mount
