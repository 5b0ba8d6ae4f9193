package spawn

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"syscall"
	"testing"
)

// Identity holds on this side and on the other side of a process boundary.
func bothSides(t *testing.T, err error, test func(t *testing.T, e *Error)) {
	t.Helper()
	e := AsError(err)
	t.Run("here", func(t *testing.T) { test(t, e) })
	t.Run("there", func(t *testing.T) {
		there := new(Error)
		decode(t, there, encode(t, e))
		test(t, there)
		if there.Error() != e.Error() {
			t.Errorf("the text changed on the way: %q became %q", e.Error(), there.Error())
		}
	})
}

func TestEveryKindSurvives(t *testing.T) {
	for number, kind := range kinds() {
		for name, err := range map[string]error{
			"as Kind":           &Error{Kind: kind, Msg: "words"},
			"plain":             kind,
			"wrapped":           fmt.Errorf("starting web: %w", kind),
			"wrapped Error":     fmt.Errorf("starting web: %w", &Error{Kind: kind, Key: "forkexec"}),
			"as cause":          &Error{Kind: kind, Err: errors.New("cause")},
			"with errno":        &Error{Kind: kind, Errno: syscall.EPERM},
			"in a joined error": errors.Join(errors.New("other"), kind),
		} {
			t.Run(fmt.Sprintf("%d/%s", number, name), func(t *testing.T) {
				bothSides(t, err, func(t *testing.T, e *Error) {
					if e.Kind != kind || !errors.Is(e, kind) {
						t.Errorf("%v is not %v", e, kind)
					}
					for _, other := range kinds() {
						if other != kind && errors.Is(e, other) {
							t.Errorf("%v is also %v", e, other)
						}
					}
				})
			})
		}
	}
}

// The list of kinds is what the package exports, each with one number.
func TestKindsAreAllAndDifferent(t *testing.T) {
	exported := []error{
		ErrNotImplemented, ErrUnavailable, ErrUnknownMethod, ErrPluginGone, ErrKeeperGone, ErrLost, ErrBadPlan,
		ErrBadOption, ErrProtocol, ErrVersion, ErrUntrusted, ErrTimeout, ErrCanceled, ErrClosed, ErrBroken,
	}
	numbers := make(map[error]uint64)
	for number, kind := range kinds() {
		if number == 0 {
			t.Errorf("%v has the number that means none", kind)
		}
		if other, twice := numbers[kind]; twice {
			t.Errorf("%v has the numbers %d and %d", kind, number, other)
		}
		numbers[kind] = number
	}
	for i, kind := range exported {
		if numbers[kind] != uint64(i+1) {
			t.Errorf("%v has the number %d, and had %d on the wire", kind, numbers[kind], i+1)
		}
	}
	if len(numbers) != len(exported) {
		t.Errorf("%d kinds, of which this test knows %d", len(numbers), len(exported))
	}
}

func TestErrnoSurvives(t *testing.T) {
	tests := []struct {
		errno syscall.Errno
		is    error
	}{
		{syscall.ENOENT, fs.ErrNotExist},
		{syscall.EACCES, fs.ErrPermission},
		{syscall.EPERM, fs.ErrPermission},
		{syscall.EEXIST, fs.ErrExist},
		{syscall.ENOSYS, errors.ErrUnsupported},
		{syscall.E2BIG, syscall.E2BIG},
		{syscall.ENOEXEC, syscall.ENOEXEC},
		{syscall.ELOOP, syscall.ELOOP},
		{syscall.EAGAIN, syscall.EAGAIN},
	}
	for _, tt := range tests {
		for name, err := range map[string]error{
			"plain":       tt.errno,
			"Error":       &Error{Key: "forkexec", Phase: PhaseExec, Op: "exec", Errno: tt.errno},
			"with path":   &Error{Key: "forkexec", Phase: PhaseExec, Op: "exec", Path: "/bin/x", Errno: tt.errno},
			"PathError":   &fs.PathError{Op: "exec", Path: "/bin/x", Err: tt.errno},
			"SyscallErr":  os.NewSyscallError("exec", tt.errno),
			"wrapped":     fmt.Errorf("web: %w", tt.errno),
			"wrapped all": fmt.Errorf("web: %w", &Error{Op: "exec", Path: "/bin/x", Errno: tt.errno}),
		} {
			t.Run(fmt.Sprintf("%d/%s", int(tt.errno), name), func(t *testing.T) {
				bothSides(t, err, func(t *testing.T, e *Error) {
					if e.Errno != tt.errno || !errors.Is(e, tt.errno) || !errors.Is(e, tt.is) {
						t.Errorf("%#v is not %v, %v", e, tt.errno, tt.is)
					}
				})
			})
		}
	}
}

func TestPathErrorSurvives(t *testing.T) {
	for name, err := range map[string]error{
		"Error":     &Error{Phase: PhaseSetup, Op: "chdir", Path: "/no/such", Errno: syscall.ENOENT},
		"PathError": fmt.Errorf("web: %w", &fs.PathError{Op: "chdir", Path: "/no/such", Err: syscall.ENOENT}),
	} {
		t.Run(name, func(t *testing.T) {
			bothSides(t, err, func(t *testing.T, e *Error) {
				var pe *fs.PathError
				if !errors.As(error(e), &pe) {
					t.Fatalf("%v is no *fs.PathError", e)
				}
				if pe.Op != "chdir" || pe.Path != "/no/such" || pe.Err != syscall.ENOENT {
					t.Errorf("got %#v", pe)
				}
			})
		})
	}
	t.Run("no path", func(t *testing.T) {
		bothSides(t, &Error{Op: "clone", Errno: syscall.EAGAIN}, func(t *testing.T, e *Error) {
			var pe *fs.PathError
			if errors.As(error(e), &pe) {
				t.Errorf("%v is a *fs.PathError: %#v", e, pe)
			}
		})
	})
}

func TestWhatOtherPackagesSayByName(t *testing.T) {
	tests := []struct {
		err   error
		kind  error
		errno syscall.Errno
	}{
		{context.Canceled, ErrCanceled, 0},
		{fmt.Errorf("planning: %w", context.DeadlineExceeded), ErrTimeout, 0},
		{fs.ErrNotExist, nil, syscall.ENOENT},
		{&fs.PathError{Op: "open", Path: "x", Err: fs.ErrPermission}, nil, syscall.EACCES},
		{fs.ErrExist, nil, syscall.EEXIST},
		{errors.New("something else"), nil, 0},
	}
	for _, tt := range tests {
		bothSides(t, tt.err, func(t *testing.T, e *Error) {
			if e.Kind != tt.kind || e.Errno != tt.errno {
				t.Errorf("%v: kind %v, errno %d, want %v, %d", tt.err, e.Kind, e.Errno, tt.kind, tt.errno)
			}
		})
	}
}

func TestAsErrorOfNothingIsNothing(t *testing.T) {
	if e := AsError(nil); e != nil {
		t.Errorf("got %#v", e)
	}
}

func TestAsErrorReturnsWhatIsOne(t *testing.T) {
	e := &Error{Msg: "x"}
	if AsError(e) != e {
		t.Error("a copy")
	}
}

func TestAsErrorKeepsTheCause(t *testing.T) {
	cause := errors.New("cause")
	for _, err := range []error{cause, fmt.Errorf("wrapped: %w", cause), &fs.PathError{Op: "o", Path: "p", Err: cause}} {
		if !errors.Is(AsError(err), cause) {
			t.Errorf("%v is lost", err)
		}
	}
}

func TestAsErrorOfAWrappedErrorKeepsItsFields(t *testing.T) {
	inner := &Error{
		Key: "go_fork", Phase: PhasePlan, Op: "o", Path: "p", Errno: syscall.EPERM, Kind: ErrNotImplemented,
		Msg: "m", Blocked: &Blocked{Reason: "r"},
	}
	before := *inner
	e := AsError(fmt.Errorf("web: %w", inner))
	if e == inner || !reflect.DeepEqual(*inner, before) {
		t.Error("the wrapped error was changed")
	}
	if e.Key != "go_fork" || e.Phase != PhasePlan || e.Op != "o" || e.Path != "p" || e.Errno != syscall.EPERM ||
		e.Kind != ErrNotImplemented || e.Blocked != inner.Blocked {
		t.Errorf("got %#v", e)
	}
}

// Of two kinds in one tree it is always the same that is chosen.
func TestAsErrorIsDeterministic(t *testing.T) {
	err := errors.Join(ErrClosed, ErrUnavailable, ErrTimeout)
	for range 50 {
		if e := AsError(err); e.Kind != ErrUnavailable {
			t.Fatalf("got %v", e.Kind)
		}
	}
}

func TestRetryable(t *testing.T) {
	for _, e := range []*Error{
		{Errno: syscall.EAGAIN}, {Errno: syscall.ENOMEM}, {Errno: syscall.EMFILE}, {Errno: syscall.ENFILE},
		{Errno: syscall.ENOBUFS}, {Errno: syscall.ETOOMANYREFS}, {Kind: ErrPluginGone}, {Kind: ErrKeeperGone},
	} {
		bothSides(t, e, func(t *testing.T, e *Error) {
			if !e.Retryable() {
				t.Errorf("%v is not retryable", e)
			}
		})
	}
	for _, e := range []*Error{{}, {Errno: syscall.ENOENT}, {Kind: ErrNotImplemented}, {Kind: ErrTimeout}} {
		if e.Retryable() {
			t.Errorf("%v is retryable", e)
		}
	}
}
