// Package keep keeps templates of the method forkserver beyond one call of hatchery
// run: --opt keep=5m.
//
// A server, which is hatchery executed again, opens a host and has the templates; each
// call is a child in it, with the caller's arguments, environment, directory and
// descriptors. The first call starts the server; it ends when nobody has called for
// the time asked for, on SIGTERM, and when its folder is gone.
//
//	l, err := keep.Dial(ctx)                        // starts the server if there is none
//	p, err := l.Start(ctx, keep.Call{Spec: spec, Keep: 5 * time.Minute})
//	status, err := p.Wait()
//	err = p.Close()                                 // names what could not be ended
//
// # Who is served by whom
//
// A child comes from its template by fork, and so has by birth what the server has.
// Where that is not what the caller has, it is passed along (arguments, environment,
// directory, descriptors, umask, resource limits, ignored signals) or else the
// caller has another server: see [Surroundings]. Nothing is silently the server's but
// what docs/forkserver.md lists, session and process group above all.
//
// # Where it is
//
// The socket lies in the runtime folder of the server's host, which is the user's own
// and closed to others, and is removed by the host's keeper however the server ends.
// Both sides check that the other is the same user.
//
// # When somebody dies
//
// The caller: its connection ends, and the server ends the child and what is below it.
// The server: its keeper ends all children; callers see the end of the connection and
// report a lost status, never an invented one. A server that is stopped or stuck is
// noticed by the child's pidfd, which the caller holds.
package keep
