// Package stub_blocked is the methods that are known not to work. They stay
// registered, so that whoever has the idea finds out why it fails and what to
// use instead, before building it again:
//
//	$ hatchery run --spawn-backend=go_fork -- true
//	go_fork: plan: not implemented: …; use forkexec instead (why: …)
//
// [GoFork] forks the running Go program without executing another; [Goroutine]
// runs a "child" as a goroutine of the host. Both refuse every Spec alike, with
// spawn.ErrNotImplemented and the details of spawn.Blocked.
//
// # What it is not
//
// A place for methods that are merely missing something: one that works on some
// machines is Unavailable on the others.
package stub_blocked
