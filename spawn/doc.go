// Package spawn is the vocabulary that every other package of Hatchery
// speaks: what a caller wants ([Spec]), what a backend makes of it ([Plan], an
// ordered list of [Step]), how it ended ([ExitStatus]) and how it failed
// ([Error]).
//
// The smallest example, a backend's whole work, is a pure function from one
// to the other:
//
//	func plan(s *spawn.Spec) (*spawn.Plan, error) {
//		p := spawn.Standard(s)            // clone, setpgid, files, chdir, exec …
//		p.Insert(spawn.NoNewPrivs())      // before the exec
//		return p, nil
//	}
//
// Everything here is data: nothing in this package starts a process, opens a
// file or makes a system call, and it imports the standard library alone. A
// plan can be compared, printed, stored and sent; package internal/launch
// turns one into a child.
//
// # On the wire
//
// Spec, Plan, ExitStatus and Error travel between processes in the protobuf
// encoding of internal/wire/spawnv1/spawn.proto. They are encoded by hand here
// so that the keeper, which must start in a millisecond, links no protobuf
// library; a test holds the two encodings equal. What POSIX says is bytes
// (arguments, environment, paths) is bytes there too: no string is ever
// required to be UTF-8.
//
// # What this package is not
//
// It does not run anything: see packages host (to start children) and sdk (to
// write a backend).
package spawn
