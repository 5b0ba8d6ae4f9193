// Package helperproc makes the programs that tests start out of the test
// binary itself: run under another name it is a helper, a function that stands
// beside the test that needs it. No program is built or checked in.
//
// The smallest example:
//
//	func TestMain(m *testing.M) {
//		os.Exit(helperproc.Main(m.Run, map[string]helperproc.Func{"cat": cat}))
//	}
//
//	func cat(args []string) int { … }
//
//	func TestCat(t *testing.T) {
//		out, err := helperproc.Command("cat", "a", "b").Output()
//		…
//	}
//
// The name of the helper travels in argv[0] ([Argv]) or, where a test cannot
// choose argv[0], in the environment ([Env]). A helper that no test used fails
// a full run, so that none outlives its test.
//
// Where the test binary is too heavy a child, as in a benchmark, package tinyelf
// has the smallest program there is.
//
// This package is for tests alone.
package helperproc
