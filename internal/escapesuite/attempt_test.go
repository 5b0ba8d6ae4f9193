//go:build linux

package escapesuite

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// An attempt is one way to get at what is not the child's.
type attempt struct {
	name string
	what string // in a few words

	// stops are the layers that stop it, each of them alone, but for plain.
	stops []layer
	// plain says that the control is a process without any sandbox: then stops
	// says what stops it, and is not taken apart.
	plain bool
	// needs returns why there can be no control here, or nothing.
	needs func() string
	// quiet says that its word counts for nothing: what comes of it is seen later.
	quiet bool
	// works says that nothing stops it, as documented.
	works bool
	// filtered says that the filter alone decides: where it kills, it kills.
	filtered bool
	// alone says that others are not to be made meanwhile.
	alone bool
	// asked says that TestKernelInEachProfile makes it, too.
	asked bool
	// hostProfile says that it makes sense in the default profile alone.
	hostProfile bool

	// scene makes the target. nil: there is none.
	scene func(s *scene)
	// try is the attempt, in a process of its own, which ends behind it. The
	// arguments are the scene's. The error, if it is one, is a syscall.Errno.
	try func(args []string) error
	// want are the errors inside, one of them.
	want []syscall.Errno
}

// done is what an attempt says that has worked.
const done = "it works"

// attemptHelper is the process that makes the attempt args[0].
func attemptHelper(args []string) int {
	runtime.LockOSThread()
	if args[0] == everyQuestion {
		for _, a := range onKernel() {
			fmt.Print(word(a.try(nil)), " ")
		}
		return 0
	}
	a, ok := find(args[0])
	if !ok {
		fmt.Println("there is no such attempt")
		return 2
	}
	fmt.Println(word(a.try(args[1:])))
	return 0
}

// word returns how an attempt ended.
func word(err error) string {
	var errno syscall.Errno
	switch {
	case err == nil:
		return done
	case errors.As(err, &errno) && unix.ErrnoName(errno) != "":
		return unix.ErrnoName(errno)
	}
	return "broken: " + strings.ReplaceAll(err.Error(), "\n", " ")
}

// reached is nil when a system call got to the kernel's own judgement: it worked, or
// failed by one of the errors that come of the arguments.
func reached(err error, of ...syscall.Errno) error {
	for _, e := range of {
		if err == e {
			return nil
		}
	}
	return err
}

// call makes a system call, of which a number is all that is of interest.
func call(nr uintptr, args ...uintptr) error {
	var a [6]uintptr
	copy(a[:], args)
	if _, _, errno := syscall.RawSyscall6(nr, a[0], a[1], a[2], a[3], a[4], a[5]); errno != 0 {
		return errno
	}
	return nil
}

// attempts returns all of them.
func attempts() []attempt {
	var all []attempt
	for _, part := range [][]attempt{onProcesses(), onFiles(), onMounts(), onMemory(), onHanded(), onProgram(), onNetwork(), onLimits(), onFences(), onTargets(), onKernel()} {
		all = append(all, part...)
	}
	return all
}

func find(name string) (attempt, bool) {
	for _, a := range attempts() {
		if a.name == name {
			return a, true
		}
	}
	return attempt{}, false
}

// isRoot reports whether the tests run as root.
func isRoot() bool { return os.Geteuid() == 0 }

// root is for attempts whose control takes root on the host.
func root() string {
	if !isRoot() {
		return "it takes root"
	}
	return ""
}

// rootWith is for those that take a capability there, which root may lack in a
// container.
func rootWith(capability int) func() string {
	return func() string {
		status, err := os.ReadFile("/proc/self/status")
		if err != nil {
			return err.Error()
		}
		_, rest, _ := strings.Cut(string(status), "CapEff:\t")
		set, err := strconv.ParseUint(rest[:16], 16, 64)
		switch {
		case err != nil:
			return err.Error()
		case set&(1<<capability) == 0:
			return "it takes root with capability " + strconv.Itoa(capability)
		}
		return ""
	}
}
