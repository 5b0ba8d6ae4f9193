// Package faultsuite has hosts, keepers and plugins fail at every step that
// internal/failpoint names, in every way that it knows, and looks at what comes of
// it. It is all tests, behind the build tag failpoints:
//
//	go test -tags failpoints ./internal/faultsuite            every step, all ways
//	go test -tags failpoints ./internal/faultsuite -short     every step, kills and stops
//
// A case is four processes and what they start. The test arms the failpoint and
// starts the watch, a subreaper of its own: whatever loses its parent becomes its
// child. The watch starts the host, which goes through a life with children of
// all sorts (life_test.go) and holds every call to its bound, every error to its
// type, and every status to what the child did. When the host has ended, in
// whatever way, the watch looks at what is left: processes, sockets, folders,
// mounts and control groups.
//
// The children of some lives are handed over, by processes that are ready. Where these are
// made by fork, they and the one that makes them fail at each step as well: kill
// and stop themselves, are slow or silent, and lie. What was forked shares its command line
// and its environment with what it came from: survivors are told by what they have open.
//
// What a host has detached ends by itself, and its note is looked at.
//
// What may be left is what docs/embedding.md says: of a keeper that was killed the
// descendants of its children that it had not recorded, of a host that was killed before it had a keeper
// an empty runtime folder.
package faultsuite
