package seccomp

import "fmt"

// An Action is what happens to a call, as the kernel has it in seccomp(2). The
// zero Action is none and refused by [Assemble]: it would end one thread of a
// process, which helps nobody.
type Action uint32

// The actions.
const (
	KillProcess Action = 0x8000_0000 // ends the process by SIGSYS, Linux 4.14
	Trap        Action = 0x0003_0000 // sends SIGSYS, which the program may handle
	Log         Action = 0x7ffc_0000 // allows it, and the kernel logs it, Linux 4.14
	Allow       Action = 0x7fff_0000 // lets it happen

	errno    Action = 0x0005_0000
	maxErrno        = 4095
)

// Errno lets the call fail with an error of Linux, by its number: 0 to 4095. With
// 0 the program is told that it was done.
func Errno(n uint16) Action { return errno | Action(n) }

// The errors that the filters of this package answer with. They are Linux's on
// every architecture that has a table here; package syscall has those of the
// system that this is built for.
const (
	eperm           = 1
	enosys          = 38
	eprotonosupport = 93
	eafnosupport    = 97
)

// String returns the action in words, for messages.
func (a Action) String() string {
	switch a {
	case KillProcess:
		return "kill the process"
	case Trap:
		return "SIGSYS"
	case Log:
		return "allow and log"
	case Allow:
		return "allow"
	}
	if a.valid() {
		return fmt.Sprintf("error %d", uint32(a&^errno))
	}
	return fmt.Sprintf("no action (%#x)", uint32(a))
}

func (a Action) valid() bool {
	switch a {
	case KillProcess, Trap, Log, Allow:
		return true
	}
	return a&^0xffff == errno && a&^errno <= maxErrno
}

// severity orders actions by how much they leave to the program.
func (a Action) severity() int {
	switch {
	case a == Allow:
		return 0
	case a == Log:
		return 1
	case a == Trap:
		return 3
	case a == KillProcess:
		return 4
	}
	return 2
}

// Stricter reports whether a leaves less to the program than b: kill, SIGSYS, an
// error, logging, nothing, in that order.
func (a Action) Stricter(b Action) bool { return a.severity() > b.severity() }
