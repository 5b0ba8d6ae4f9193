package spawn

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"testing"
)

func goForkBlocked() *Blocked {
	return &Blocked{
		Reason:      "only the calling thread survives",
		Alternative: "forkserver",
		Analysis:    "docs/analysis/go_fork.md",
		Scenario:    "control_go_fork_gc",
	}
}

// What a person reads at night.
func TestErrorText(t *testing.T) {
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"missing program",
			&Error{Key: "forkexec", Phase: PhaseExec, Op: "exec", Path: "/bin/nosuch", Errno: syscall.ENOENT},
			"forkexec: exec /bin/nosuch: no such file or directory"},
		{"missing directory",
			&Error{Key: "forkexec", Phase: PhaseSetup, Op: "chdir", Path: "/no/such", Errno: syscall.ENOENT},
			"forkexec: setup: chdir /no/such: no such file or directory"},
		{"a step that failed",
			&Error{Key: "isolate", Phase: PhaseSetup, Op: "mount", Path: "/proc", Errno: syscall.EPERM},
			"isolate: setup: mount /proc: operation not permitted"},
		{"too many processes",
			&Error{Key: "forkexec", Phase: PhaseSetup, Op: "clone", Errno: syscall.EAGAIN},
			"forkexec: setup: clone: resource temporarily unavailable"},
		{"a blocked method",
			&Error{Key: "go_fork", Phase: PhasePlan, Kind: ErrNotImplemented, Blocked: goForkBlocked()},
			"go_fork: plan: not implemented: only the calling thread survives; use forkserver instead (why: hatchery explain go_fork, or docs/analysis/go_fork.md; see it: hatchery smoketest --scenario control_go_fork_gc)"},
		{"a blocked method without a key",
			&Error{Kind: ErrNotImplemented, Blocked: goForkBlocked()},
			"not implemented: only the calling thread survives; use forkserver instead (why: docs/analysis/go_fork.md; see it: hatchery smoketest --scenario control_go_fork_gc)"},
		{"a blocked method without a scenario",
			&Error{Key: "x", Phase: PhasePlan, Kind: ErrNotImplemented, Blocked: &Blocked{Reason: "r", Alternative: "y", Analysis: "a.md"}},
			"x: plan: not implemented: r; use y instead (why: hatchery explain x, or a.md)"},
		{"unavailable",
			&Error{Key: "isolate", Phase: PhaseSelect, Kind: ErrUnavailable, Msg: "needs user namespaces, and user.max_user_namespaces is 0"},
			"isolate: select: unavailable on this machine: needs user namespaces, and user.max_user_namespaces is 0"},
		{"a bounded wait",
			&Error{Key: "forkexec", Phase: PhaseStart, Op: "handshake", Kind: ErrTimeout, Msg: "nothing within 10s"},
			"forkexec: start: handshake: timed out: nothing within 10s"},
		{"kind alone", &Error{Kind: ErrClosed}, "host closed"},
		{"cause", &Error{Phase: PhaseStart, Msg: "the keeper's answer", Err: errors.New("unexpected end")},
			"start: the keeper's answer: unexpected end"},
		{"nothing known", &Error{}, "unknown error"},
		{"path alone", &Error{Path: "/x", Errno: syscall.ELOOP}, "/x: too many levels of symbolic links"},
		{"path that could be misread", &Error{Op: "exec", Path: "/a b: c\n", Errno: syscall.ENOENT},
			`exec "/a b: c\n": no such file or directory`},
		{"path that talks to the terminal", &Error{Op: "exec", Path: "/\u009b2J\u202e", Errno: syscall.ENOENT},
			`exec "/\u009b2J\u202e": no such file or directory`},
		{"path that is not UTF-8", &Error{Op: "exec", Path: "/\xff", Errno: syscall.ENOENT},
			`exec "/\xff": no such file or directory`},
		{"path in another script", &Error{Op: "exec", Path: "/größe/日本", Errno: syscall.ENOENT},
			"exec /größe/日本: no such file or directory"},
		{"key as a person gave it", &Error{Key: "no such\n", Phase: PhaseSelect, Kind: ErrUnknownMethod},
			`"no such\n": select: unknown spawn method`},

		// Errors of others say nothing twice.
		{"plain", errors.New("it broke"), "it broke"},
		{"errno", syscall.EPERM, "operation not permitted"},
		{"PathError", &fs.PathError{Op: "open", Path: "/x", Err: syscall.ENOENT}, "open /x: no such file or directory"},
		{"PathError with a blank", &fs.PathError{Op: "open", Path: "/x y", Err: syscall.ENOENT}, "open /x y: no such file or directory"},
		{"SyscallError", os.NewSyscallError("pidfd_open", syscall.ESRCH), "pidfd_open: no such process"},
		{"wrapped kind", fmt.Errorf("waiting for web: %w", ErrTimeout), "waiting for web: timed out"},
		{"wrapped Error",
			fmt.Errorf("starting web: %w", &Error{Key: "forkexec", Phase: PhaseExec, Op: "exec", Path: "/x", Errno: syscall.ENOENT}),
			"starting web: forkexec: exec /x: no such file or directory"},
		{"wrapped Error with everything",
			fmt.Errorf("web: %w", &Error{Key: "go_fork", Phase: PhasePlan, Kind: ErrNotImplemented, Blocked: goForkBlocked()}),
			"web: go_fork: plan: not implemented: only the calling thread survives; use forkserver instead (why: hatchery explain go_fork, or docs/analysis/go_fork.md; see it: hatchery smoketest --scenario control_go_fork_gc)"},
		{"wrapped twice",
			fmt.Errorf("a: %w", AsError(fmt.Errorf("b: %w", &Error{Op: "kill", Errno: syscall.EPERM}))),
			"a: b: kill: operation not permitted"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bothSides(t, tt.err, func(t *testing.T, e *Error) {
				if e.Error() != tt.want {
					t.Errorf("says\n %s\nwant\n %s", e, tt.want)
				}
			})
		})
	}
}

// A part is left out when Msg has it whole, not when its letters occur.
func TestErrorTextLeavesOutNothingThatIsNotSaid(t *testing.T) {
	e := &Error{Key: "isolate", Op: "open", Kind: ErrTimeout, Msg: "isolate timed out while it reopened a file"}
	if want := "isolate: open: timed out: isolate timed out while it reopened a file"; e.Error() != want {
		t.Errorf("says\n %s\nwant\n %s", e, want)
	}
}
