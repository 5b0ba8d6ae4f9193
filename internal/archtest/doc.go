// Package archtest holds what the packages of this module owe each other. It
// has tests and nothing else; they parse every file that is shipped, without
// compiling anything, and say file by file what is against the rules:
//
//   - imports go down only, by a table in which every package has a row;
//   - what must start in a millisecond links nothing heavy;
//   - there are no init functions and no mutable package variables;
//   - the process is ended by main packages, not by libraries;
//   - no struct keeps a context;
//   - no type of another module stands in the public API;
//   - everything exported is documented;
//   - every promise of docs/testing.md is held by tests that exist;
//   - no file and no function outgrows a reader.
//
// A rule that must be broken has a table of exceptions beside it, each with its
// reason. Each rule has a test of its own which proves that it can fail.
package archtest
