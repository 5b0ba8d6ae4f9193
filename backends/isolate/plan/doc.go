// Package plan is what the method "isolate" makes of a Spec: a longer list of
// steps than that of an ordinary child, and nothing else.
//
//	p, err := plan.Make(&spec)
//
// It stands apart from the backend, which package sdk is a part of, so that it
// can be had before the program is initialised: see backends/early. It starts
// nothing and changes nothing. It looks at the machine where a plan depends on
// it: who the user is, and which of the files exist that are to be mounted.
//
// # The order of the steps
//
// The order is most of what this package knows:
//
//  1. the namespaces, with the clone; the ids; the name; the network;
//  2. copies of what comes from the host, while its files are in sight;
//  3. a file system in memory, and the new root;
//  4. of that memory /dev and what is private, and /proc; where the root is not the
//     host's files, pivot_root, and from then on no path leads out of the root; in a root
//     of somebody's that comes first. Then the caller's mounts; then what was written to
//     is made read-only;
//  5. no_new_privs, capabilities and ids, for good;
//  6. process 1, and in the program behind it what the Spec asks for.
//
// A place that somebody else may have made, in a root of his or below one of the caller's
// mounts, is never named by a path that could lead elsewhere: it is opened below the
// root's descriptor, with RESOLVE_IN_ROOT and RESOLVE_NO_MAGICLINKS, and mounted on by
// descriptor.
package plan
