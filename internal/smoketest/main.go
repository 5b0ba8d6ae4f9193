package smoketest

import (
	"fmt"
	"os"
	"runtime"
)

// argument, behind argv[0], makes a process what a scenario needs: the role
// follows, and its arguments.
const argument = "__smoketest"

// Main is what a process that a scenario has started does, before anything
// else. It reports whether this is one: then the process is to exit with code.
func Main(args []string) (code int, ok bool) {
	if len(args) < 3 || args[1] != argument {
		return 0, false
	}
	role := roles()[args[2]]
	if role == nil {
		fmt.Fprintf(os.Stderr, "smoketest: there is no role %q\n", args[2])
		return 2, true
	}
	// What depends on it should not depend on the machine.
	runtime.GOMAXPROCS(4)
	return role(args[3:]), true
}

// A role is what a process is that a scenario needs: it returns the exit code.
// It ends when its standard input does.
type role func(args []string) int
