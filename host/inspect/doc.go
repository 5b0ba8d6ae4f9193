// Package inspect looks at hosts from outside: at one that hangs, and at what
// killed ones have left. The commands hatchery dump and hatchery reap are thin
// layers over it.
//
//	err := inspect.Dump(ctx, pid, os.Stdout)
//	report, err := inspect.Reap(ctx, inspect.ReapConfig{DryRun: true})
//
// # What Dump asks
//
// A host answers on a socket in its runtime folder, which is found by the
// command line of its keeper. One that does not answer, because it is stopped
// or stuck, is looked at by way of /proc alone: what is shown then is the tree
// of its processes, with their states and what they wait in, and why there is
// not more.
//
// # What Reap ends
//
// A host that was killed is cleaned up after by its keeper. Only when both are
// killed is there something for Reap to do, and only what is marked beyond
// doubt is touched: a process that a runtime folder records with pid and start
// time, in this boot and these namespaces; what is below such a process; and
// what is in the session of one, which nobody can enter from outside. A pid
// that has been reused is left alone, and so is everything of a host or keeper
// that lives. Each decision is reported.
//
// The pids of another PID namespace mean nothing here: its folders are left alone. One
// of a host that was the first process of its namespace, a container's for instance, is
// removed when nobody listens on the host's socket any more: everything in the namespace
// ended with that process.
//
// # Limits
//
// There has to be a /proc: both are for Linux. Reap looks where hosts of the
// calling user and environment make their folders. What had no record yet when
// the keeper was killed is not found: a daemon, in a session of its own, that
// lost its parents before the keeper's next look at what is below its children.
package inspect
