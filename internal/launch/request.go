package launch

import (
	"sync/atomic"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// A Request is a plan with everything that differs from child to child.
// Launch changes nothing in it and keeps no reference to it.
type Request struct {
	Plan *spawn.Plan

	// FDs are the descriptors of this process that Plan.Files stands for,
	// in that order. They stay the caller's.
	FDs []int

	// Folders are the descriptors of this process that the results of the plan's
	// folder steps stand for, in their order: whoever launches has made them. They
	// stay the caller's.
	Folders []int

	// What fills the plan's holes.
	Path string
	Args []string
	Env  []string
	Dir  string

	// Files are the child's descriptors: see [File]. They stay the caller's.
	Files []File

	// Null is a descriptor of /dev/null to read, for an unset 0, and NullOut
	// one to write, for what is unset of 1 and 2. A NullOut of 0 means Null.
	Null, NullOut int

	// Umask is that of this process now, for a child that was parked (Become);
	// any other has it from its birth.
	Umask int

	// Checked says that Check has passed the plan, with as many descriptors: it need not
	// be checked again.
	Checked bool

	// Self is a pidfd of this process, by which a child in a pid namespace of
	// its own sees that its parent is there. Without one, 0 or less, such a child
	// outlives a parent that is killed in the moment of its birth.
	Self int
}

// A File says which descriptor of this process becomes which of the child.
type File struct{ Number, FD int }

// A Child is what a launch made. Pid is set as soon as a process existed, in
// failure too: the caller reaps it.
type Child struct {
	Pid   int
	Pidfd int // close-on-exec, the caller's to close; -1 when there is none

	// Record is the end to read of the pipe of a plan's process 1, which tells
	// there how the program stops, goes on and ends (package pid1);
	// close-on-exec, the caller's to close. It is 0 for plans without one.
	Record int

	// Held are namespaces of a child that was parked, close-on-exec, the caller's to
	// close when the child has ended: the kernel takes them apart then, and not while
	// somebody waits for that end.
	Held []int
}

// Progress can be read while a launch is under way, from any goroutine.
type Progress struct {
	pid   atomic.Uint32
	step  uintptr // written by the child
	abort uintptr // read by the child, before each step
}

// Unknown is what Pid returns where the id of a child is not known before the
// launch is over: any process may be it.
const Unknown = -1

// Pid returns the process id of the child being launched, or 0 before the
// clone and between launches, or Unknown.
func (p *Progress) Pid() int { return int(int32(p.pid.Load())) }

// Abort makes the child give up at its next step; one that is in the middle of
// a step has to be killed besides. It holds until Rearm. A launch that has not
// cloned yet makes a child that gives up at once.
func (p *Progress) Abort() { atomic.StoreUintptr(&p.abort, 1) }

// Rearm takes an Abort back, for the next launch.
func (p *Progress) Rearm() { atomic.StoreUintptr(&p.abort, 0) }

// Step returns the index of the step the child has come to.
func (p *Progress) Step() int { return int(atomic.LoadUintptr(&p.step)) }

// text returns the string that a path argument stands for.
func (r *Request) text(a spawn.Arg) string {
	if a.Kind == spawn.ArgStr {
		return a.Str
	}
	switch spawn.Hole(a.Num) {
	case spawn.HoleDir, spawn.HoleCwd: // the host says which of them Dir is
		return r.Dir
	}
	return r.Path
}
