package spawn

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"syscall"
)

// The kinds of failure. Errors of this module match them with errors.Is on
// both sides of a process boundary.
var (
	// ErrNotImplemented: the method is registered and known not to work.
	// Error.Blocked says why.
	ErrNotImplemented = errors.New("not implemented")
	// ErrUnavailable: this machine does not have what the method needs.
	ErrUnavailable = errors.New("unavailable on this machine")
	// ErrUnknownMethod: no backend of that key is registered.
	ErrUnknownMethod = errors.New("unknown spawn method")
	// ErrPluginGone: the process that serves the backend ended, or never
	// came up. Trying again starts a new one.
	ErrPluginGone = errors.New("plugin gone")
	// ErrKeeperGone: the keeper ended, and with it what it was about to do.
	// Trying again starts a new one.
	ErrKeeperGone = errors.New("keeper gone")
	// ErrLost: the exit status could not be had.
	ErrLost = errors.New("exit status lost")
	// ErrBadPlan: a backend made a plan that cannot be executed.
	ErrBadPlan = errors.New("bad plan")
	// ErrBadOption: an option the backend does not know or cannot take.
	ErrBadOption = errors.New("bad option")
	// ErrProtocol: the other side did not speak as agreed.
	ErrProtocol = errors.New("protocol violation")
	// ErrVersion: host and plugin have no API version in common.
	ErrVersion = errors.New("incompatible version")
	// ErrUntrusted: a plugin file failed a check and was not executed, or what is
	// said to be the folder of a detached child did.
	ErrUntrusted = errors.New("untrusted")
	// ErrTimeout: a bounded wait reached its bound. Error.Op names the wait.
	ErrTimeout = errors.New("timed out")
	// ErrCanceled: the caller gave up before the child was started.
	ErrCanceled = errors.New("canceled")
	// ErrClosed: the host is closed.
	ErrClosed = errors.New("host closed")
	// ErrBroken: the plugin failed so often that it is not started again by
	// itself.
	ErrBroken = errors.New("plugin broken")
)

// kinds is the closed list of what an error can be, by its number on the
// wire. Numbers are never used again.
func kinds() map[uint64]error {
	return map[uint64]error{
		1: ErrNotImplemented, 2: ErrUnavailable, 3: ErrUnknownMethod,
		4: ErrPluginGone, 5: ErrKeeperGone, 6: ErrLost, 7: ErrBadPlan,
		8: ErrBadOption, 9: ErrProtocol, 10: ErrVersion, 11: ErrUntrusted,
		12: ErrTimeout, 13: ErrCanceled, 14: ErrClosed, 15: ErrBroken,
	}
}

// A Phase says how far a spawn had come when it failed.
type Phase string

// The phases of a spawn.
const (
	PhaseSelect  Phase = "select"  // choosing the method
	PhaseStart   Phase = "start"   // starting keeper or plugin
	PhaseResolve Phase = "resolve" // finding the program, checking the Spec
	PhasePlan    Phase = "plan"    // the backend at work
	PhaseSetup   Phase = "setup"   // between clone and exec
	PhaseExec    Phase = "exec"    // replacing the process
	PhaseRun     Phase = "run"     // the child is running
	PhaseStop    Phase = "stop"    // stopping it
)

// An Error is how everything in this module fails. It keeps its identity
// across processes: its kind and errno are matched by errors.Is, and a failure
// with a path is an *fs.PathError to errors.As, as in package os.
type Error struct {
	Key   string        // the method, if one was chosen
	Phase Phase         // how far it had come
	Op    string        // the step, system call or wait that failed
	Path  string        // the file or directory concerned
	Errno syscall.Errno // what the kernel said, or 0
	Kind  error         // one of the Err variables, or nil
	Msg   string        // in words: what was wrong, what would be right

	// Blocked has the details of ErrNotImplemented.
	Blocked *Blocked

	// Err is a cause of this process. It is not sent on; its text is.
	Err error
}

// Blocked says why a method is registered and yet refuses to work.
type Blocked struct {
	Reason      string // in a sentence
	Alternative string // the key of the method to use instead
	Analysis    string // the document, relative to the repository
	Scenario    string // the smoke test that shows it, if there is one
}

// Error returns "key: phase: op path: text". What is unknown is left out, and
// so is what Msg says already: there it may be the text of a whole error.
func (e *Error) Error() string {
	var parts []string
	add := func(s string) {
		if s != "" && !e.says(s) {
			parts = append(parts, s)
		}
	}
	add(quote(e.Key))
	if string(e.Phase) != e.Op {
		add(string(e.Phase))
	}
	if e.Path == "" || !e.says(e.Op+" "+e.Path) {
		add(e.where())
	}
	if e.Kind != nil {
		add(e.Kind.Error())
	}
	if e.Msg != "" {
		parts = append(parts, e.Msg)
	}
	switch {
	case e.Errno != 0:
		add(e.Errno.Error())
	case e.Err != nil:
		add(e.Err.Error())
	}
	if e.Blocked != nil {
		add(e.Blocked.text(e.Key))
	}
	if len(parts) == 0 {
		return "unknown error"
	}
	return strings.Join(parts, ": ")
}

// says reports whether Msg has s, as one or several of the parts that colons
// separate.
func (e *Error) says(s string) bool {
	return strings.Contains(": "+e.Msg+": ", ": "+s+": ")
}

func (e *Error) where() string {
	if e.Op == "" || e.Path == "" {
		return e.Op + quote(e.Path)
	}
	return e.Op + " " + quote(e.Path)
}

// Unwrap returns the kind and the cause.
func (e *Error) Unwrap() []error {
	var errs []error
	if e.Kind != nil {
		errs = append(errs, e.Kind)
	}
	switch {
	case e.Errno != 0 && e.Path != "":
		errs = append(errs, &fs.PathError{Op: e.Op, Path: e.Path, Err: e.Errno})
	case e.Errno != 0:
		errs = append(errs, e.Errno)
	}
	if e.Err != nil {
		errs = append(errs, e.Err)
	}
	return errs
}

// Retryable reports whether the same request may succeed later: the machine
// was short of something, or a process of ours had to be started again.
func (e *Error) Retryable() bool {
	if e.Kind == ErrBroken {
		return false // whatever it last failed with
	}
	errno := e.Errno
	if errno == 0 {
		errors.As(e.Err, &errno)
	}
	switch errno {
	case syscall.EAGAIN, syscall.ENOMEM, syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ETOOMANYREFS:
		return true
	}
	return e.Kind == ErrPluginGone || e.Kind == ErrKeeperGone
}

func (b *Blocked) text(key string) string {
	t := b.Reason
	if b.Alternative != "" {
		t += "; use " + b.Alternative + " instead"
	}
	var more []string
	switch {
	case b.Analysis != "" && key != "":
		more = append(more, fmt.Sprintf("why: hatchery explain %s, or %s", key, b.Analysis))
	case b.Analysis != "":
		more = append(more, "why: "+b.Analysis)
	}
	if b.Scenario != "" {
		more = append(more, "see it: hatchery smoketest --scenario "+b.Scenario)
	}
	if len(more) > 0 {
		t += " (" + strings.Join(more, "; ") + ")"
	}
	return t
}

// quote quotes s when it could be misread in a sentence, or could tell a
// terminal what to do.
func quote(s string) string {
	for _, r := range s {
		if r == ' ' || r == '"' || r == ':' || r == 0xfffd || !strconv.IsPrint(r) {
			return strconv.Quote(s)
		}
	}
	return s
}
