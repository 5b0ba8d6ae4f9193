//go:build failpoints

package failpoint

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Enabled reports whether this is a build in which processes can be made to fail.
const Enabled = true

// ExitCode is what a process exits with that was told to exit.
const ExitCode = 97

// Pass says that a process is at a step.
func Pass(p Point) { own().pass(p) }

// Fail is Pass for a step that can be made to fail: the error is to be taken for
// one of the step.
func Fail(p Point) error { return own().pass(p) }

// own returns the rules for this process, which are read once.
var own = sync.OnceValue(func() *armed {
	program := os.Getenv(programVariable)
	if program == "" {
		var err error
		if program, err = os.Readlink("/proc/self/exe"); err != nil {
			panic("failpoint: " + err.Error())
		}
	}
	rules, err := read(program)
	if err != nil { // a rule that is not understood is never followed
		panic("failpoint: " + err.Error())
	}
	return &armed{program: program, rules: rules, passed: map[Point]int{}}
})

// programVariable has the path of a program that is executed by another name of it.
const programVariable = "FAILPOINT_PROGRAM"

// Environ returns what a process has to have in its environment that is executed from a
// copy of a mount, where /proc/self/exe does not say where the program is.
func Environ() []string { return []string{programVariable + "=" + own().program} }

// An armed is what a process has of its program's rules.
type armed struct {
	program string
	rules   []Rule

	mu     sync.Mutex
	passed map[Point]int
}

// pass follows the rules for a step.
func (a *armed) pass(p Point) error {
	for i, r := range a.rules {
		if r.Point == p && a.due(r) && claim(a.program, i) {
			return follow(r)
		}
	}
	return nil
}

// due counts the step, of which there is one rule at most.
func (a *armed) due(r Rule) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.passed[r.Point]++
	return a.passed[r.Point] == max(1, r.Nth)
}

// claim makes this process the one that follows the rule with a number, unless
// another has been.
func claim(program string, number int) bool {
	f, err := os.OpenFile(firedPath(program, number), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return false
	}
	defer f.Close()
	_, err = f.WriteString(strconv.Itoa(os.Getpid()))
	return err == nil
}

func follow(r Rule) error {
	switch r.Action {
	case Kill:
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	case Stop:
		// By its own thread, which then does not get out of this call.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		syscall.Tgkill(os.Getpid(), syscall.Gettid(), syscall.SIGSTOP)
	case Delay:
		<-time.After(r.Delay)
	case Exit:
		syscall.Exit(ExitCode)
	case Error:
		return fmt.Errorf("failpoint %s: %w", r.Point, syscall.EIO)
	}
	return nil
}
