// Package proctree shows processes as the system sees them: for each its
// parent, age, state, command line, and what each of its threads waits in. It
// is how a host that hangs is looked at, by itself and from outside.
//
//	tree := proctree.Take(ctx, pid)
//	text := tree.Append(nil)
//
// Nothing that it reads needs rights beyond those of the process's own user;
// what the kernel refuses is left out (the wait channel and the system call
// of a setuid program, mostly). Reading most of /proc never waits. A command
// line and a system call can, for a lock of the process they belong to, and it
// may be that lock which hangs: they are read aside and left out when they have
// not come in time.
//
// # Limits
//
// A tree changes while it is read: it is no snapshot. Where there is no /proc it
// is empty. At most [MaxProcesses] are shown.
package proctree
