package helperproc

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// A Func is a helper: it gets the arguments behind argv[0] and returns the
// exit code.
type Func func(args []string) int

const (
	argvMark = "helperproc:"
	envMark  = "HELPERPROC_NAME"
)

// used has the names that tests asked for. It belongs to the process because
// a test, which asks, has no way to what TestMain has.
var used sync.Map

// Main is the helper if this process was started as one, and then does not
// return; otherwise it is the tests, run, and returns the exit code for
// TestMain. A full run of tests that passed fails if one of the helpers was not
// used.
func Main(run func() int, helpers map[string]Func) int {
	if name, ok := asked(); ok {
		f := helpers[name]
		if f == nil {
			fmt.Fprintf(os.Stderr, "helperproc: no helper %q in this test binary: want one of %q\n",
				name, slices.Sorted(maps.Keys(helpers)))
			return 2
		}
		// Not os.Exit: under the race detector that takes a second, which a
		// test with a bound would have to know about.
		syscall.Exit(f(os.Args[1:]))
	}
	code := run()
	if code != 0 || !fullRun() {
		return code
	}
	for _, name := range slices.Sorted(maps.Keys(helpers)) {
		if _, ok := used.Load(name); !ok {
			fmt.Fprintf(os.Stderr, "helperproc: helper %q was not used by any test: remove it, or call Skip for it\n", name)
			code = 1
		}
	}
	return code
}

// asked returns the helper that this process was started as. The environment
// is cleaned, so that what a helper starts is no helper by accident.
func asked() (name string, ok bool) {
	if name, ok = strings.CutPrefix(os.Args[0], argvMark); ok {
		return name, true
	}
	if name, ok = os.LookupEnv(envMark); ok {
		os.Unsetenv(envMark)
	}
	return name, ok
}

// fullRun reports whether every test of the binary ran.
func fullRun() bool {
	if !flag.Parsed() {
		flag.Parse()
	}
	for _, name := range []string{"test.run", "test.skip", "test.list", "test.fuzz"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != "" {
			return false
		}
	}
	short := flag.Lookup("test.short")
	return short == nil || short.Value.String() != "true"
}

// Path returns the program to run: this test binary, absolute. It panics when
// the system does not say where that is.
func Path() string {
	path, err := os.Executable()
	if err != nil {
		panic("helperproc: " + err.Error())
	}
	return path
}

// Argv returns the argument list, argv[0] included, that makes [Path] the
// helper name.
func Argv(name string, args ...string) []string {
	used.Store(name, true)
	return append([]string{argvMark + name}, args...)
}

// Env returns the environment entry that makes [Path] the helper name whatever
// argv[0] is, for a helper that a script starts. The helper itself does not
// see it.
func Env(name string) string {
	used.Store(name, true)
	return envMark + "=" + name
}

// Command returns the command, not started, that runs the helper name with
// package os/exec.
func Command(name string, args ...string) *exec.Cmd {
	return &exec.Cmd{Path: Path(), Args: Argv(name, args...)}
}

// Skip says that the helper name would be used if its test were not skipped.
func Skip(name string) { used.Store(name, true) }
