// Package forkexec is the method "forkexec": the shortest plan there is, and
// the default.
//
//	hatchery run --spawn-backend=forkexec -- ls -l
//
// A child gets what its Spec says and nothing else: no namespace, no filter,
// no option. Its plan is spawn.Standard, which is reusable, so that a host asks
// for it once per shape of Spec.
//
// # What it is not
//
// It isolates nothing: the child has every right of the host.
package forkexec
