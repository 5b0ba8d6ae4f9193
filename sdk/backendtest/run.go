package backendtest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/sdk"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// Options say what a backend is held to. The zero value holds it to
// everything, in process and through a plugin process.
type Options struct {
	// Claims are the abilities that the backend claims. Nil means those that
	// it says itself ([ClaimsOf]), or all of [Abilities] if it says nothing; an
	// empty list that is not nil, none.
	Claims []Ability

	// Except names cases that the backend does not mean to pass, because
	// breaking that promise is its purpose. They are skipped, visibly.
	Except []string

	// Settings are options that every Spec has in front of its own, for a
	// method that does nothing without: where its children run, say.
	Settings []spawn.Option

	// Shell is the path of the program that runs the children's scripts, in place
	// of /bin/sh. It has to do with its arguments and all else that it finds what
	// /bin/sh does: the last that it does is to execute that, say. It is for
	// methods whose children are not made by exec.
	Shell string

	// Binary is the path of the backend's plugin binary. Empty leaves that
	// way out.
	Binary string

	// Heavy makes the cases that repeat something do so thousands of times,
	// and move a gigabyte where they move megabytes: minutes, not seconds.
	Heavy bool
}

// Main is the whole of TestMain for the tests of the given backends:
//
//	func TestMain(m *testing.M) { os.Exit(backendtest.Main(m, mine{})) }
//
// It gives them to host.Init, so in a process that was started to serve one of
// them it does not return; otherwise it returns the exit code of m.Run. A
// TestMain that does more calls host.Init itself, first of all, with sdk.Entry
// of each backend, and then [BeHost].
func Main(m interface{ Run() int }, backends ...sdk.Backend) int {
	var entries []registry.Entry
	for _, b := range backends {
		entries = append(entries, sdk.Entry(b))
	}
	host.Init(entries...)
	if code, ok := BeHost(); ok {
		return code
	}
	return m.Run()
}

// Run runs every case that applies to b, as a test of its own below t, in every
// way that applies: in process if b is a planner, through a plugin process,
// and through the binary if there is one. Where the method says that it is
// unavailable on this machine the way is skipped, with the reason.
func Run[S Tester[S]](t S, b sdk.Backend, o Options) {
	t.Helper()
	for _, s := range subjects(b, o) {
		t.Run(s.Way(), func(t S) {
			cases, err := s.Cases(t.Context(), o)
			switch {
			case errors.Is(err, spawn.ErrUnavailable):
				t.Skipf("%v", err)
			case err != nil:
				t.Fatalf("%v", err)
			}
			for _, c := range cases {
				t.Run(c.Name, func(t S) {
					s.run(t, c, o)
				})
			}
		})
	}
}

// subjects returns the ways that apply.
func subjects(b sdk.Backend, o Options) []*Subject {
	var all []*Subject
	_, spawner := b.(sdk.Spawner) // which may embed Unimplemented, a Planner
	if p, ok := b.(sdk.Planner); ok && !spawner {
		all = append(all, InProcess(p))
	}
	e := sdk.Entry(b)
	all = append(all, Served(e))
	if o.Binary != "" {
		all = append(all, Served(registry.Entry{Key: e.Key, Path: o.Binary}))
	}
	return all
}

func (s *Subject) run(t T, c Case, o Options) {
	t.Helper()
	if slices.Contains(o.Except, c.Name) {
		t.Skipf("the backend does not mean to pass this case")
	}
	c.Run(t, s.open(t, o))
}

// Check runs one case and returns how it went. It takes as long as the case
// does, which is bounded; ctx is given to what the case asks of the host.
func (s *Subject) Check(ctx context.Context, c Case, o Options) Result {
	r := newRecorder(ctx)
	return r.record(c.Name, s.Way(), func() { s.run(r, c, o) })
}

// A Result says how one case went in one way.
type Result struct {
	Case    string
	Way     string
	Outcome Outcome
	Text    []string // what the case said: failures first of all
	Seconds float64  // it took
}

// String returns the result in a line, and the texts below it.
func (r Result) String() string {
	text := fmt.Sprintf("%-7s %-9s %-28s %6.2fs", r.Outcome, r.Way, r.Case, r.Seconds)
	for _, line := range r.Text {
		text += "\n        " + line
	}
	return text
}

// An Outcome is how a case ended.
type Outcome string

// The outcomes.
const (
	Passed  Outcome = "passed"
	Failed  Outcome = "failed"
	Skipped Outcome = "skipped" // this machine or user cannot show it; Result.Text says why
)
