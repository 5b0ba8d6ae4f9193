package backendtest

import "context"

// T is what a case tells how it went. *testing.T is one. Fatalf and Skipf do
// not return.
type T interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Logf(format string, args ...any)
	Skipf(format string, args ...any)
	TempDir() string
	Cleanup(func())
	Context() context.Context
}

// A Tester is a T that runs parts of itself under names: *testing.T, where S is
// *testing.T. It keeps package testing out of programs that use the kit
// without it.
type Tester[S any] interface {
	T
	Run(name string, f func(S)) bool
}
