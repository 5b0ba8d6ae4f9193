package actor

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/hatchery-spawn/hatchery/internal/zygote"
)

// Park makes a program one that can be started ahead: the spawn method forkserver
// starts processes of it that wait in Park until a child is wanted. When Park
// returns, the process is that child, as if it had just been started: os.Args, the
// environment, the working directory, the descriptors and the limits are the
// child's. In a process that was not started in that way Park does nothing.
//
// It is to be the first thing that main does. What happens before, in package
// initialisers, happens in the process that waits: with the arguments, the
// environment, the directory and the standard streams of that one. [Program.Run]
// and [Program.Main] begin with it.
//
//	func main() {
//		actor.Park()
//		…
//	}
//
// What stays that of the process that waited: what ps and /proc/PID/environ show,
// its age and use of resources, files that initialisers have opened, entries of the
// environment without a name or without "=", which Go programs cannot set, and the
// limit of open files, which is the child's but is not raised as the Go runtime
// does at the start. A process that waits and is not needed any more exits in Park,
// with 0.
//
// Linux only: elsewhere Park does nothing.
func Park() {
	value, ok := os.LookupEnv(zygote.Variable)
	if !ok {
		return
	}
	os.Unsetenv(zygote.Variable) // what this process starts is not to wait
	if err := park(value); err != nil {
		fmt.Fprintf(os.Stderr, "%s: it was started to wait for what to be, but %s=%q is of no use: %v\n", filepath.Base(os.Args[0]), zygote.Variable, value, err)
		syscall.Exit(exitNotStarted)
	}
}
