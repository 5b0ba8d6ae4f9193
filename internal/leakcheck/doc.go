// Package leakcheck fails a test, or the run of a whole package's tests, that
// leaves something behind: an open descriptor, a goroutine, a child process or
// a descendant of one, zombies included.
//
// The smallest example, for a package:
//
//	func TestMain(m *testing.M) { os.Exit(leakcheck.Main(m)) }
//
// and for one test, before anything else in it:
//
//	leakcheck.Check(t)
//
// What was there at the beginning is not counted, and neither is what the Go
// runtime and the testing package keep for themselves. At the end there are
// two seconds in which things may still be on their way out; then everything
// that is left is listed: descriptors with what they refer to, processes with
// pid, name, state and command line, goroutines with their stacks.
//
// # Limits
//
// A process that was orphaned and adopted by init is no descendant any more
// and is not seen: tests of daemons must look for theirs by themselves.
// A descriptor that is only reachable by the garbage collector may be closed
// by it before the end. Descriptors and processes are counted on Linux;
// elsewhere goroutines alone are. [Check] counts the whole process, so it
// cannot be used in tests that run in parallel.
package leakcheck
