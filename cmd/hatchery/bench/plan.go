package bench

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// Scenarios.
const (
	Plain       = "plain"       // a host that has nothing else open
	Descriptors = "descriptors" // a host with many open descriptors
	Batch       = "batch"       // many children in one request
	Paused      = "paused"      // a pause behind each child: what can be done ahead is
)

// pause is how long a caller of the scenario Paused waits behind each child. The first
// children of a turn are not counted there: so many of a kind it takes until something
// is made ahead for the next. A turn has some that are, even if it takes longer.
const (
	pause       = 15 * time.Millisecond
	pausedFirst = 3
	pausedLeast = 4
)

// batchSize is how many children are in a request of the scenario Batch, and
// batchCallers how many callers os/exec has beside it.
const (
	batchSize    = 256
	batchCallers = 8
)

// A group is what is measured side by side: the same program, callers and
// circumstances, by each way.
type group struct {
	scenario string
	program  *Program
	callers  int
	sandbox  bool // what it starts leaves the kernel much to clean up
	pace     pace
	cells    []*cell
	// enter makes the circumstances of a turn.
	enter func() (leave func(), err error)
}

// A cell is one way in one group: a row of the result.
type cell struct {
	way     *way
	base    bool    // it is there to compare with, and shown in another group
	slices  []slice // by round
	skipped string  // why it is not measured, or not any further
}

func nothing() (leave func(), err error) { return func() {}, nil }

// groups returns what is to be measured, in the order in which it is shown.
//
// Sandboxes have groups of their own, with os/exec in them to compare with: for
// some time after one has ended the kernel takes its namespaces apart, which
// whatever is measured then would pay for.
func (b *bench) groups() []*group {
	var all []*group
	direct, sandboxes := b.split()
	for i := range b.Programs {
		p := &b.Programs[i]
		for _, n := range b.Callers {
			all = append(all, b.group(Plain, p, n, direct, nothing))
			if len(sandboxes) > 0 {
				g := b.group(Plain, p, n, append([]*way{b.ways[0]}, sandboxes...), nothing)
				g.sandbox, g.cells[0].base = true, true
				all = append(all, g)
			}
		}
	}
	if slices.ContainsFunc(sandboxes, func(w *way) bool { return w.method == isolate }) && slices.Contains(b.Callers, 1) {
		g := b.group(Paused, &b.Programs[0], 1, sandboxes, nothing)
		g.sandbox, g.pace = true, pace{pause, pausedFirst, pausedLeast}
		all = append(all, g)
	}
	if b.Descriptors > 0 && slices.Contains(b.Callers, 1) {
		hold := func() (func(), error) { return holdDescriptors(b.Descriptors) }
		all = append(all, b.group(Descriptors, &b.Programs[0], 1, direct, hold))
	}
	if ways := b.batches(direct[1:]); len(ways) > 0 && slices.ContainsFunc(b.Callers, func(n int) bool { return n > 1 }) {
		all = append(all, b.group(Batch, &b.Programs[0], batchCallers, append([]*way{b.ways[0]}, ways...), nothing))
	}
	return all
}

func (b *bench) group(scenario string, p *Program, callers int, ways []*way, enter func() (func(), error)) *group {
	g := &group{scenario: scenario, program: p, callers: callers, enter: enter}
	for _, w := range ways {
		g.cells = append(g.cells, &cell{way: w, skipped: b.skipped[w.method]})
	}
	return g
}

// split tells the ways that make sandboxes from those that do not.
func (b *bench) split() (direct, sandboxes []*way) {
	for _, w := range b.ways {
		if w.against == Bwrap || w.method == Bwrap || w.method == isolate {
			sandboxes = append(sandboxes, w)
		} else {
			direct = append(direct, w)
		}
	}
	return direct, sandboxes
}

// batches returns the ways that start many children at once, of methods that
// start one.
func (b *bench) batches(methods []*way) (ways []*way) {
	for _, w := range methods {
		ways = append(ways, inBatches(b.Host, w.method, batchSize))
	}
	return ways
}

// findWays finds out what works here, by trying each way once. Each stands
// behind what it is compared with.
func (b *bench) findWays(ctx context.Context) {
	b.ways = []*way{osExec()}
	sandbox := b.findBwrap(ctx)
	var sandboxed []*way
	for _, key := range b.Methods {
		b.say(0, "trying out "+key)
		w := byMethod(b.Host, key, OSExec)
		if key == isolate && sandbox != nil {
			w.against = Bwrap
		}
		if err := b.try(ctx, w); err != nil {
			b.skipped[key] = why(err)
		} else if w.against == Bwrap {
			sandboxed = append(sandboxed, w)
		} else {
			b.ways = append(b.ways, w)
		}
	}
	if sandbox != nil {
		b.ways = append(append(b.ways, sandbox), sandboxed...)
	}
}

// isolate is the method whose children are in a sandbox.
const isolate = "isolate"

// tryLimit is how long a way may take to show that it works.
const tryLimit = 5 * time.Second

// try tries a way out.
func (b *bench) try(ctx context.Context, w *way) error {
	ctx, cancel := context.WithTimeout(ctx, tryLimit)
	defer cancel()
	if w.method != Bwrap {
		if err := b.Host.Probe(ctx, w.method); err != nil {
			return err
		}
	}
	_, err := w.turn(ctx, &b.Programs[0], 1, 0, pace{}, noUsage)
	if err == nil && ctx.Err() != nil { // what was under way was killed, and is no failure
		err = fmt.Errorf("not done after %v", tryLimit)
	}
	return err
}

// findBwrap looks for a bubblewrap that works for this user.
func (b *bench) findBwrap(ctx context.Context) *way {
	path, err := exec.LookPath("bwrap")
	if err != nil {
		b.skipped[Bwrap] = "it is not installed"
		return nil
	}
	w := bwrap(path)
	b.say(0, "trying out "+Bwrap)
	if err := b.try(ctx, w); err != nil {
		b.skipped[Bwrap] = fmt.Sprintf("it does not work here: %v", err)
		return nil
	}
	return w
}

func noUsage() usage { return usage{} }

// why returns what a person wants to know of an error of a method, in one line.
func why(err error) string {
	var e *spawn.Error
	text := err.Error()
	if errors.As(err, &e) && e.Blocked != nil {
		text = "blocked: " + e.Blocked.Reason
	} else if errors.Is(err, spawn.ErrUnavailable) && e.Msg != "" {
		text = "unavailable: " + e.Msg
	}
	return strings.ReplaceAll(text, "\n", "; ")
}
