// Package backendtest is the conformance kit: what a user of any spawn backend
// can hold it to, as cases that every backend runs.
//
// The smallest example is the whole test of a backend that promises what
// forkexec promises:
//
//	func TestMain(m *testing.M) { os.Exit(backendtest.Main(m, careful{})) }
//
//	func TestConformance(t *testing.T) { backendtest.Run(t, careful{}, backendtest.Options{}) }
//
// [Run] runs the same cases in up to three ways: with the backend's functions
// called in this process and its plans executed by a host's keeper, which is
// where a debugger and a coverage profile see the backend; through the plugin
// process that a host starts of this very test binary; and, when there is a
// path of one, through the real plugin binary. [Subject] is one of these ways,
// and [Subject.Check] runs a case without package testing, for a table.
//
// # Abilities
//
// A case needs abilities, and a backend claims them: see [Ability]. A case for
// something that is not claimed does not run; instead, a case of its own holds
// that a Spec which needs it is refused, and not started with less than it
// asked for. What a backend breaks on purpose it names in Options.Except. One
// whose status is blocked claims nothing and is held to refusing as it should.
//
// # How the cases see what a child is
//
// The children are /bin/sh and the programs that stand beside it everywhere
// (cat, ls, env, sleep). They are not this program executed again: a Go program
// opens descriptors, raises its limit of them and catches every signal before
// its main, so it is no witness of what it was started with.
//
// Each case has a host of its own, which must close without an error. Every
// wait is bounded.
//
// # Limits
//
// The cases that start children are for Linux; elsewhere the ones about
// descriptions, options, plans and refusals remain. Cases that need root skip
// without it and say so. One case changes what this process does with SIGUSR1
// and SIGUSR2, and some count descriptors and children of it, so Run is not for
// tests that run in parallel. Kits of other versions may hold a backend to
// more.
package backendtest
