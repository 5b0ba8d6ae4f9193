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

func blockedCases() []Case {
	return []Case{{
		Name: "blocked-refuses",
		Doc: "A blocked method can be selected. Started, it refuses within 100 ms with an error of kind ErrNotImplemented, whose " +
			"details and text name the method, what blocks it, the method to use instead and the analysis, on whichever side of a " +
			"process boundary one asks. No child is started.",
		Needs: []Ability{Blocked},
		Run:   blockedRefuses,
	}, {
		Name: "blocked-refuses-garbage",
		Doc: "A blocked method refuses in the same way whatever it is asked: options nobody knows, strings with NUL bytes, numbers out " +
			"of range, no program at all. Who tries it must learn that it cannot work, not that an argument was wrong.",
		Needs: []Ability{Blocked},
		Run:   blockedGarbage,
	}, {
		Name: "blocked-host-lives",
		Doc: "A host on which a blocked method was tried is none the worse: it refuses again in the same way, and starts children by " +
			"other plans.",
		Needs: []Ability{Blocked},
		Run:   blockedHostLives,
	}}
}

// atOnce is how long a refusal may take. It is measured several times, and the
// best counts: the machine may be busy.
const (
	atOnce = 100 * time.Millisecond
	tries  = 5
)

func blockedRefuses(t T, e *Env) {
	if e.Has(Plugin) {
		if err := e.Host.Select(t.Context(), e.Key()); err != nil {
			t.Errorf("selecting it: %v", err)
		}
	}
	best := patience
	for range tries {
		begin := time.Now()
		err := e.refused(t, "a blocked method", spawn.Spec{Path: "/bin/sh", Args: []string{"sh", "-c", ":"}})
		best = min(best, time.Since(begin))
		if err == nil {
			return
		}
		e.explained(t, "a blocked method", err)
	}
	if best > atOnce {
		t.Errorf("it took %v at best to refuse, want %v", best, atOnce)
	}
}

// explained holds that an error says all about a blocked method that is known.
func (e *Env) explained(t T, what string, err error) {
	t.Helper()
	if !errors.Is(err, spawn.ErrNotImplemented) {
		t.Errorf("%s: want an error of kind ErrNotImplemented, got: %v", what, err)
		return
	}
	d, se := e.Entry, spawn.AsError(err)
	want := spawn.Blocked{Reason: d.Reason, Alternative: d.Alternative, Analysis: d.Analysis, Scenario: d.Scenario}
	if se.Blocked == nil || *se.Blocked != want || se.Key != e.Key() {
		t.Errorf("%s: the error's method and details are %q and %+v, want %q and %+v", what, se.Key, se.Blocked, e.Key(), want)
	}
	for _, part := range []string{e.Key(), d.Reason, d.Alternative, d.Analysis} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%s: the error does not say %q: %v", what, part, err)
		}
	}
}

func blockedGarbage(t T, e *Env) {
	for name, spec := range garbage() {
		if err := e.refused(t, name, spec); err != nil {
			e.explained(t, name, err)
		}
	}
}

// garbage returns Specs that make no sense, by what is wrong with them.
func garbage() map[string]spawn.Spec {
	terminal, mask := 99, ^uint32(0)-1
	return map[string]spawn.Spec{
		"no program":            {},
		"a missing program":     {Path: "/no/such/program", Dir: "/no/such/directory"},
		"NUL bytes":             {Path: "a\x00b", Args: []string{"\x00"}, Env: []string{"\x00"}, Dir: "\x00"},
		"invalid UTF-8":         {Path: "/\xff", Args: []string{"\xfe", ""}, Env: []string{"=", "\xfd"}, Dir: "\xfc"},
		"unknown options":       {Path: "x", Options: []spawn.Option{{Key: noSuchOption}, {Value: "v"}, {Key: "\xff", Value: strings.Repeat("v", 100_000)}}},
		"a terminal from afar":  {Path: "x", Session: true, Group: -77, Terminal: &terminal},
		"numbers out of range":  {Path: "x", Umask: &mask, Ignore: []syscall.Signal{-1, 0, 9, 999}, Limits: []spawn.Limit{{Resource: -1}}},
		"an unknown credential": {Path: "x", Credential: &spawn.Credential{UID: 1 << 31, GID: 1 << 31, Groups: make([]uint32, 1000)}},
	}
}

func blockedHostLives(t T, e *Env) {
	for range 2 {
		if err := e.refused(t, "a blocked method", spawn.Spec{Path: "/bin/sh"}); err != nil {
			e.explained(t, "a blocked method", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		spec := spawn.Spec{Path: "/bin/sh", Args: []string{"sh", "-c", "exit 3"}, Files: []*os.File{}}
		p, err := e.Host.StartPlan(ctx, spawn.Standard(&spec), spec)
		if err != nil {
			t.Fatalf("another plan on the same host: %v", err)
		}
		if s := await(t, p, "a child of another plan"); s.Code != 3 {
			t.Errorf("a child of another plan: %v, want exit status 3", s)
		}
	}
}
