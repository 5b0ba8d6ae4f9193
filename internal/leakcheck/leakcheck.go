package leakcheck

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// Patience is how long [Main] and [Check] let things go away by themselves.
const Patience = 2 * time.Second

// interval is how often to look: /proc announces nothing.
const interval = 10 * time.Millisecond

// Main runs the tests and returns the exit code for TestMain. When the tests
// passed and left something behind, it lists that on standard error and
// returns 1.
func Main(m *testing.M) int {
	before := Take()
	code := m.Run()
	if code != 0 {
		return code
	}
	if left := before.Left(Patience); len(left) > 0 {
		fmt.Fprintf(os.Stderr, "leakcheck: left after the tests of this package:\n%s\n", indent(left))
		return 1
	}
	return 0
}

// Check fails t if, when the test and its other cleanups are over, something
// is left that was not there when Check was called. Call it first: cleanups
// run in reverse order. Not for parallel tests.
func Check(t testing.TB) {
	t.Helper()
	before := Take()
	t.Cleanup(func() {
		if left := before.Left(Patience); len(left) > 0 {
			t.Errorf("leakcheck: left after the test:\n%s", indent(left))
		}
	})
}

// A Baseline is what a process had at one moment.
type Baseline struct{ had inventory }

// Take returns the baseline of this process, now.
func Take() *Baseline {
	warmUp()
	return &Baseline{had: take()}
}

// Left returns one line or more for each thing that this process has now and
// had not then, sorted; nothing when it has none. It waits, for at most the
// given time, until there is nothing left.
func (b *Baseline) Left(wait time.Duration) []string {
	left := b.left()
	if len(left) == 0 {
		return nil
	}
	deadline := time.NewTimer(wait)
	defer deadline.Stop()
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for len(left) > 0 {
		select {
		case <-tick.C:
			left = b.left()
		case <-deadline.C:
			return b.left()
		}
	}
	return nil
}

func (b *Baseline) left() []string {
	now := take()
	maps.DeleteFunc(now, func(id, _ string) bool {
		_, had := b.had[id]
		return had
	})
	return slices.Sorted(maps.Values(now))
}

// An inventory describes what a process has, by an identity that is never used
// for two things: where numbers are used again, more than the number is in it.
type inventory map[string]string

func take() inventory {
	inv := make(inventory)
	inv.addDescriptors()
	inv.addProcesses()
	inv.addGoroutines()
	return inv
}

// warmUp makes the runtime open its poller (an epoll descriptor and an
// eventfd, which it keeps), so that it is part of every baseline and that such
// descriptors, when they appear later, are somebody's.
func warmUp() {
	if r, w, err := os.Pipe(); err == nil {
		r.Close()
		w.Close()
	}
}

func indent(lines []string) string {
	return "\t" + strings.ReplaceAll(strings.Join(lines, "\n"), "\n", "\n\t")
}
