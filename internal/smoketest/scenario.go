package smoketest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Limit is how long a scenario may take.
const Limit = 10 * time.Second

// patience is the part of it that is kept for what was started to end by itself,
// which takes it a millisecond unless the machine is busy.
const patience = 2 * time.Second

// A Kind says what a scenario is for.
type Kind string

// The kinds of scenarios.
const (
	Control     Kind = "control"     // a dead end: it passes when that breaks
	Baseline    Kind = "baseline"    // what must work, to compare with
	Replacement Kind = "replacement" // what is done instead
)

// A Scenario is one experiment.
type Scenario struct {
	Name     string
	Kind     Kind
	Analysis string // the page that it belongs to: docs/analysis/ANALYSIS.md
	Expected string // what is to be seen, in a clause

	// Sabotage has the ways to take the mechanism away: see [Options].
	Sabotage []string

	// run returns what was seen. An error says that it was something else,
	// or matches errUnable.
	run func(context.Context, *stage) (observed string, err error)
}

// Options are how to run a scenario. The zero value is the real thing.
type Options struct {
	// Sabotage is one of [Scenario.Sabotage], by which the mechanism is taken
	// away that the scenario is about: it has to fail then.
	Sabotage string
}

// An Outcome is how a scenario ended.
type Outcome string

// The outcomes.
const (
	Passed Outcome = "PASS" // what was expected was seen
	Failed Outcome = "FAIL" // something else was seen
	Unable Outcome = "SKIP" // this machine cannot run it
)

// A Result is what was seen.
type Result struct {
	Scenario Scenario
	Options  Options
	Outcome  Outcome
	Observed string // what was seen, or why it could not be
	Took     time.Duration
}

// errUnable says that this machine cannot run a scenario.
var errUnable = errors.New("cannot be run here")

// unable returns the error of a scenario that this machine cannot run.
func unable(format string, args ...any) error {
	return fmt.Errorf("%w: %w", errUnable, fmt.Errorf(format, args...))
}

// All returns the scenarios in the order in which they are told. There are none
// on other systems than Linux.
func All() []Scenario { return scenarios() }

// Find returns the scenario of that name.
func Find(name string) (Scenario, bool) {
	all := All()
	i := slices.IndexFunc(all, func(s Scenario) bool { return s.Name == name })
	if i < 0 {
		return Scenario{}, false
	}
	return all[i], true
}

// Run runs the scenario. It returns when nothing of it is left, after Limit at the
// latest. A Sabotage that the scenario does not have is Unable.
func (s Scenario) Run(ctx context.Context, opts Options) Result {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, Limit-patience)
	defer cancel()
	r := Result{Scenario: s, Options: opts}
	observed, err := s.observe(ctx, opts)
	switch {
	case err == nil:
		r.Outcome, r.Observed = Passed, observed
	case errors.Is(err, errUnable):
		r.Outcome, r.Observed = Unable, err.Error()
	default:
		r.Outcome, r.Observed = Failed, err.Error()
	}
	r.Took = time.Since(began)
	return r
}

func (s Scenario) observe(ctx context.Context, opts Options) (string, error) {
	if opts.Sabotage != "" && !slices.Contains(s.Sabotage, opts.Sabotage) {
		return "", unable("it has no sabotage %q", opts.Sabotage)
	}
	st := &stage{sabotage: opts.Sabotage}
	defer st.clear()
	return s.run(ctx, st)
}

// Banner is the result as one line.
func (r Result) Banner() string {
	name := r.Scenario.Name
	if r.Options.Sabotage != "" {
		name += " (sabotaged: " + r.Options.Sabotage + ")"
	}
	return fmt.Sprintf("[%s] %s: expected %s; observed %s", r.Outcome, name, r.Scenario.Expected, r.Observed)
}
