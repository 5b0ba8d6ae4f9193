// Package smoketest shows on the machine at hand what the analyses in
// docs/analysis say: that a known dead end still is one, that what it is
// compared with works, and that what Hatchery does instead works as well.
//
//	for _, s := range smoketest.All() {
//		r := s.Run(ctx, smoketest.Options{})
//		fmt.Println(r.Banner())
//	}
//
// A scenario depends on the Go runtime, the kernel and, where it shows what is
// done instead, on the packages that make children; never on a host. What is
// done to a process is done to one made for it, this very program executed
// again: a program that runs scenarios calls [Main] at the top of its main.
//
// # Controls
//
// A control passes when the broken thing is seen to break. That something did
// not happen proves nothing, so a control looks for what shows that it cannot
// happen any more (a thread that waits without a timeout for one that does not
// exist, a signal that is pending at a stopped process), and that the way there was
// the real one (a child that the kernel says has forked and not executed).
// [Options.Sabotage] takes the mechanism away: then the scenario has to fail.
//
// # Bounds
//
// A scenario takes at most [Limit] and leaves nothing behind: its processes end
// when their standard input does, at the latest. Scenarios can run at the same
// time, and need no privileges and no files.
//
// # What it is not
//
// It is no test of Hatchery, which has its own beside each package, and no
// benchmark: nothing here is about how long things take.
package smoketest
