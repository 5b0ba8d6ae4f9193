// Package scaffold writes the beginning of a spawn backend: a folder that builds,
// and passes the conformance kit, before a line of it has been changed.
//
//	err := scaffold.Write(dir, scaffold.Options{Key: "careful", Lang: "go"})
//
// What it writes is the author's from then on. Nothing is executed, nothing is
// fetched, and a folder that holds anything is left alone.
//
// # Where the framework comes from
//
// A backend in Go needs this module. Who has a released command gets a go.mod that
// requires its version, and runs "go mod tidy" once. Who has a checkout gets one
// that is replaced by it, with the versions and checksums of the checkout, and
// needs no network. A backend in Python needs nothing.
package scaffold
