package backendtest

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/spawn"
)

func refusalCases() []Case {
	return []Case{{
		Name: "unknown-option",
		Doc: "An option that the backend does not know is refused within a second, with an error of kind ErrBadOption that has " +
			"the method's key and quotes the option, and no child is started. The next Spec, without it, is served as ever. An " +
			"option that is silently ignored is a promise that is silently broken.",
		Needs: []Ability{Works},
		Run:   unknownOption,
	}, {
		Name: "unclaimed-abilities",
		Doc: "A Spec that needs an ability which the backend does not claim is refused within a second, by an error that says " +
			"that it is not possible (ErrBadOption, ErrUnavailable, ErrNotImplemented, EINVAL or errors.ErrUnsupported), and no child " +
			"is started. A child that has less than it was asked for is worse than none.",
		Needs: []Ability{Works},
		Run:   unclaimed,
	}}
}

// noSuchOption is one that no backend has.
const noSuchOption = "backendtest-no-such-option"

func unknownOption(t T, e *Env) {
	spec := spawn.Spec{Path: "/bin/sh", Options: []spawn.Option{{Key: noSuchOption, Value: "1"}}}
	err := e.refused(t, "an unknown option", spec)
	if err == nil {
		return
	}
	if !errors.Is(err, spawn.ErrBadOption) {
		t.Errorf("an unknown option: want an error of kind ErrBadOption, got: %v", err)
	}
	if se := spawn.AsError(err); se.Key != e.Key() || se.Phase == "" {
		t.Errorf("the error has the method %q and phase %q: want %q and one", se.Key, se.Phase, e.Key())
	}
	if !strings.Contains(err.Error(), noSuchOption) {
		t.Errorf("the error does not name the option: %v", err)
	}
	if e.Has(Plans) {
		if _, err := e.Plan(t.Context(), spec); !errors.Is(err, spawn.ErrBadOption) {
			t.Errorf("the same, asked for its plan: %v", err)
		}
		spec.Options = nil
		p, err := e.Plan(t.Context(), spec)
		if err != nil {
			t.Errorf("without the option: %v", err)
		} else if !p.Reusable {
			p.CloseFiles()
		}
	}
}

func unclaimed(t T, e *Env) {
	for _, a := range Abilities() {
		if e.Has(a) {
			continue
		}
		spec, ok := needing(t, a)
		if !ok {
			continue
		}
		err := e.refused(t, "what needs the unclaimed ability "+string(a), spec)
		if err != nil && !impossible(err) {
			t.Errorf("what needs the unclaimed ability %s: the error does not say that it is not possible: %v", a, err)
		}
	}
}

// impossible reports whether an error says that a thing cannot be done, and not
// merely that it did not work this time.
func impossible(err error) bool {
	for _, kind := range []error{spawn.ErrBadOption, spawn.ErrUnavailable, spawn.ErrNotImplemented, syscall.EINVAL, errors.ErrUnsupported} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

// needing returns a Spec that needs one ability and as few others as possible.
// There is none for Programs and Local, which say what children are, nor for
// what this system does not have.
func needing(t T, a Ability) (spec spawn.Spec, ok bool) {
	spec = spawn.Spec{Path: "/bin/sh", Args: []string{"sh", "-c", ":"}}
	switch a {
	case Descriptors:
		null, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatalf("%v", err)
		}
		t.Cleanup(func() { null.Close() })
		spec.Files = []*os.File{nil, nil, nil, null}
	case Directory:
		spec.Dir = "/"
	case Umask:
		mask := uint32(0o077)
		spec.Umask = &mask
	case Groups:
		spec.Group = spawn.NewGroup
	case Credentials:
		spec.Credential = &spawn.Credential{UID: uint32(os.Geteuid()), GID: uint32(os.Getegid()), KeepGroups: true}
	case Limits:
		spec.Limits = []spawn.Limit{{Resource: 0, Soft: 1000, Hard: 1000}} // RLIMIT_CPU, everywhere
	case Ignoring:
		spec.Ignore = []syscall.Signal{syscall.SIGHUP}
	case NoNewPrivs:
		spec.NoNewPrivs = true
	case Terminal:
		return needingTerminal(t, spec)
	default:
		return spec, false
	}
	return spec, true
}

// refused holds that a Spec is refused within a second and that nothing was
// started for it. It returns the error, or nil if there was none.
func (e *Env) refused(t T, what string, spec spawn.Spec) error {
	t.Helper()
	return e.refusedWithin(t, soon, what, spec)
}

// refusedWithin is refused with another limit.
func (e *Env) refusedWithin(t T, limit time.Duration, what string, spec spawn.Spec) error {
	t.Helper()
	l := newLeash(t)
	spec.Files = place(spec.Files, 1, l.theirs)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	begin := time.Now()
	p, err := e.Start(ctx, spec)
	if took := time.Since(begin); took > limit {
		t.Errorf("%s: answered after %v, want within %v", what, took, limit)
	}
	if err == nil {
		p.Kill()
		t.Errorf("%s: a child was started, want an error", what)
		return nil
	}
	l.gone(t, what)
	return err
}
