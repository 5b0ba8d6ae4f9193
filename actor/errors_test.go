package actor_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hatchery-spawn/hatchery/actor"
	"github.com/hatchery-spawn/hatchery/actor/channel"
	"github.com/hatchery-spawn/hatchery/spawn"
)

var errOwn = errors.New("an error of the tests'")

// sent returns what arrives of an error that one program sends to another.
func sent(t *testing.T, err error, by string, from, to actor.Errors) error {
	t.Helper()
	b, jerr := json.Marshal(from.Fault(err, by))
	if jerr != nil {
		t.Fatal(jerr)
	}
	f := new(channel.Fault)
	if err := json.Unmarshal(b, f); err != nil {
		t.Fatal(err)
	}
	return to.Error(f)
}

func TestEveryKnownErrorIsStillItself(t *testing.T) {
	for _, want := range []error{
		context.Canceled, context.DeadlineExceeded, io.EOF, io.ErrUnexpectedEOF, fs.ErrNotExist, fs.ErrExist, fs.ErrPermission,
		fs.ErrClosed, fs.ErrInvalid, os.ErrDeadlineExceeded, os.ErrProcessDone, errors.ErrUnsupported, syscall.ENOSPC, syscall.EAGAIN,
		spawn.ErrNotImplemented, spawn.ErrUnavailable, spawn.ErrUnknownMethod, spawn.ErrPluginGone, spawn.ErrKeeperGone, spawn.ErrLost,
		spawn.ErrBadPlan, spawn.ErrBadOption, spawn.ErrProtocol, spawn.ErrVersion, spawn.ErrUntrusted, spawn.ErrTimeout, spawn.ErrCanceled,
		spawn.ErrClosed, spawn.ErrBroken,
	} {
		for _, err := range []error{want, fmt.Errorf("around: %w", want), errors.Join(errors.New("beside"), want), &spawn.Error{Op: "x", Err: want}} {
			got := sent(t, err, "a", nil, nil)
			if !errors.Is(got, want) || got.Error() != err.Error() {
				t.Errorf("%#v arrives as %v, and is not %v", err, got, want)
			}
		}
		if got := sent(t, errors.New(want.Error()), "a", nil, nil); errors.Is(got, want) {
			t.Errorf("the mere text arrives as %v", want)
		}
	}
}

func TestKnownTypes(t *testing.T) {
	path := &fs.PathError{Op: "open", Path: "/x", Err: syscall.EACCES}
	var gotPath *fs.PathError
	if got := sent(t, fmt.Errorf("y: %w", path), "a", nil, nil); !errors.As(got, &gotPath) || !cmp.Equal(gotPath, path) || !errors.Is(got, fs.ErrPermission) {
		t.Errorf("%v is not %v", got, path)
	}
	strange := &fs.PathError{Op: "open", Path: "/x", Err: io.EOF}
	if got := sent(t, strange, "a", nil, nil); !errors.Is(got, io.EOF) || got.Error() != strange.Error() {
		t.Errorf("%v is not %v", got, strange)
	}
	var se *spawn.Error
	want := &spawn.Error{Key: "k", Phase: spawn.PhaseExec, Op: "exec", Path: "/p", Errno: syscall.ENOENT, Kind: spawn.ErrTimeout, Msg: "m"}
	if got := sent(t, want, "a", nil, nil); !errors.As(got, &se) || !errors.Is(se.Kind, want.Kind) || se.Path != "/p" || !errors.Is(got, fs.ErrNotExist) {
		t.Errorf("%v is not %v", got, want)
	}
	var exit *spawn.ExitError
	if got := sent(t, &spawn.ExitError{ExitStatus: spawn.ExitStatus{Code: 9, Source: spawn.FromKernel}}, "a", nil, nil); !errors.As(got, &exit) || exit.Code != 9 {
		t.Errorf("%v has no status", got)
	}
	var canceled *actor.Canceled
	if got := sent(t, &actor.Canceled{By: "b", Reason: "r"}, "a", nil, nil); !errors.As(got, &canceled) || *canceled != (actor.Canceled{By: "b", Reason: "r"}) ||
		!errors.Is(got, context.Canceled) || !errors.Is(got, spawn.ErrCanceled) || got.Error() != "canceled by b: r" {
		t.Errorf("%v is not the cancellation", got)
	}
}

type quota struct{ N int }

func (q quota) Error() string { return fmt.Sprint("quota ", q.N) }

// TestAcrossAProcessThatKnowsLess passes an error on through one that has
// registered nothing.
func TestAcrossAProcessThatKnowsLess(t *testing.T) {
	knows := actor.Errors{"own": actor.Value(errOwn), "quota": actor.Type[quota]()}
	leaf := sent(t, errors.Join(actor.Trace(errOwn), quota{5}), "leaf", knows, nil)
	if errors.Is(leaf, errOwn) {
		t.Error("a program knows what it has not registered")
	}
	middle := sent(t, fmt.Errorf("the middle: %w", leaf), "middle", nil, knows)
	root := sent(t, middle, "root", knows, knows)
	var q quota
	if !errors.Is(root, errOwn) || !errors.As(root, &q) || q.N != 5 {
		t.Errorf("%v is not what it was", root)
	}
	var paths [][]string
	var stacks int
	var look func(error)
	look = func(err error) {
		r, ok := err.(*actor.RemoteError)
		if !ok {
			return
		}
		paths = append(paths, r.Path)
		if strings.Contains(r.Stack, "TestAcrossAProcess") {
			stacks++
		}
		for _, w := range r.Unwrap() {
			look(w)
		}
	}
	look(root)
	if diff := cmp.Diff([][]string{{"middle", "root"}, {"leaf", "middle", "root"}, nil, nil, nil}, paths); diff != "" {
		t.Error("paths: ", diff)
	}
	if stacks != 1 {
		t.Errorf("%d stacks, want 1", stacks)
	}
}

func TestAnErrorThatIsTooLarge(t *testing.T) {
	deep := errOwn
	for i := range 10_000 {
		deep = fmt.Errorf("%d: %w", i, deep)
	}
	wide := make([]error, 20_000)
	for i := range wide {
		wide[i] = errors.New(strings.Repeat("x", 100))
	}
	for name, err := range map[string]error{
		"long":  errors.New(strings.Repeat("\x00\"", 4<<20)), // each a lot longer in JSON
		"deep":  deep,
		"wide":  errors.Join(wide...),
		"bytes": errors.New("\xff\xfe"),
	} {
		f := actor.Errors(nil).Fault(err, "a")
		b, jerr := json.Marshal(f)
		if jerr != nil || len(b) > channel.MaxPayload*3/4 || f.Text == "" {
			t.Errorf("%s: %d bytes, %v, text of %d bytes", name, len(b), jerr, len(f.Text))
		}
		if got := actor.Errors(nil).Error(f); got.Error() != f.Text {
			t.Errorf("%s: arrives as %d bytes of text", name, len(got.Error()))
		}
	}
}

func TestFaultsFromElsewhere(t *testing.T) {
	for _, text := range []string{
		`{"text":"t","type":"spawn","data":"////"}`, `{"text":"t","type":"errno","data":"eHg="}`, `{"text":"t","type":"canceled","data":"bnVsbA=="}`,
		`{"text":"t","type":"fs.PathError"}`, `{"text":"t","type":"own","data":"AAAA","wraps":[null,{}]}`, `{}`,
	} {
		f := new(channel.Fault)
		if err := json.Unmarshal([]byte(text), f); err != nil {
			t.Fatal(err)
		}
		err := actor.Errors{"own": actor.Type[*quota]()}.Error(f)
		errors.Is(err, io.EOF) // must not panic, whatever it was decoded to
		_ = fmt.Sprint(err)
		actor.OnlyCanceled(err)
	}
	if actor.Errors(nil).Error(nil) != nil || actor.Errors(nil).Fault(nil, "") != nil || actor.Trace(nil) != nil {
		t.Error("no error is one")
	}
}

func TestOnlyCanceled(t *testing.T) {
	c := &actor.Canceled{By: "x"}
	remote := func(err error) error { return sent(t, err, "a", nil, nil) }
	for _, err := range []error{
		c, context.Canceled, spawn.ErrCanceled, fmt.Errorf("x: %w", c), errors.Join(c, context.Canceled), &spawn.Error{Kind: spawn.ErrCanceled, Err: errOwn},
		&spawn.Error{Op: "x", Err: c},
	} {
		if !actor.OnlyCanceled(err) || !actor.OnlyCanceled(remote(err)) {
			t.Errorf("%#v is a cancellation", err)
		}
	}
	for _, err := range []error{
		errOwn, errors.Join(c, errOwn), context.DeadlineExceeded, fmt.Errorf("%w: %w", errOwn, c), &spawn.Error{Kind: spawn.ErrTimeout, Err: c},
		errors.Join(errors.Join(c), errors.Join(errors.Join(errOwn))), syscall.ECANCELED,
	} {
		if actor.OnlyCanceled(err) || actor.OnlyCanceled(remote(err)) {
			t.Errorf("%#v is more than a cancellation", err)
		}
	}
	if actor.OnlyCanceled(nil) {
		t.Error("no error is no cancellation")
	}
}
