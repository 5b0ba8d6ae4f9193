//go:build linux

package escapesuite

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"golang.org/x/sys/unix"

	"github.com/hatchery-spawn/hatchery/backends/isolate"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// openHost opens a host with the two methods.
func openHost(t testing.TB) *host.Host {
	t.Helper()
	h, err := host.Open(host.Config{Method: isolate.Key})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := h.Select(t.Context(), isolate.Key); errors.Is(err, spawn.ErrUnavailable) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	return h
}

// TestAttempts makes every attempt, and prints the table.
func TestAttempts(t *testing.T) {
	h := openHost(t)
	var reports []*report
	t.Run("all", func(t *testing.T) {
		for _, a := range attempts() {
			r := &report{attempt: a}
			reports = append(reports, r)
			t.Run(a.name, func(t *testing.T) {
				if !a.alone {
					t.Parallel()
				}
				r.controls(t, h)
				r.insides(t, h)
			})
		}
	})
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "attempt\tcontrol\tresult\tinside\tstopped by\twhat it is")
	for _, r := range reports {
		if len(r.inside) == 0 {
			continue // skipped, or not asked for
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", r.name, r.where, r.control, strings.Join(r.inside, " "), join(r.stops), r.what)
	}
	w.Flush()
	t.Logf("\n%s", table.String())
}

// A report is a line of the table.
type report struct {
	attempt
	where   string
	control string
	inside  []string // different results
}

// play makes the attempt in a scene of its own.
func (r *report) play(t *testing.T, h *host.Host, box sandbox, plain bool) (result string, harmed bool) {
	t.Helper()
	s := &scene{TB: t, plain: plain}
	if r.scene != nil {
		r.scene(s)
	}
	result = s.run(h, r.attempt, box)
	harmed = result == done
	if s.harmed != nil {
		harmed = s.harmed()
	}
	if r.quiet && !harmed {
		result = "in vain"
	}
	return result, harmed
}

// controls shows that the attempt works where nothing stops it, and that each layer
// is enough to stop it.
func (r *report) controls(t *testing.T, h *host.Host) {
	switch {
	case r.works:
		r.where, r.control = "-", "-"
		return
	case r.needs != nil && r.needs() != "":
		r.where, r.control = "-", r.needs()
		return
	}
	r.where = "without " + join(r.stops)
	if r.plain {
		r.where = "plain"
	}
	result, harmed := r.play(t, h, sandbox{off: r.stops}, r.plain)
	r.control = result
	if result == "ENOSYS" && r.filtered {
		r.control = "this kernel does not have it"
		return
	}
	if result != done || !harmed {
		t.Errorf("%s: %s, harm %v: want the attempt to work", r.where, result, harmed)
	}
	if r.plain || len(r.stops) < 2 {
		return
	}
	for i, l := range r.stops {
		off := slices.Delete(slices.Clone(r.stops), i, i+1)
		if result, harmed := r.play(t, h, sandbox{off: off}, false); result == done || harmed || strings.HasPrefix(result, "broken") {
			t.Errorf("with %s but without %s: %s, harm %v: want it to fail", l, join(off), result, harmed)
		}
	}
}

// insides shows that it fails in each kind of sandbox.
func (r *report) insides(t *testing.T, h *host.Host) {
	if strings.Contains(r.control, "Landlock") {
		return // there is none to stop it
	}
	for _, box := range r.attempt.boxes(t) {
		result, harmed := r.play(t, h, box, false)
		if !slices.Contains(r.inside, result) {
			r.inside = append(r.inside, result)
		}
		want := r.wanted(box)
		if !slices.Contains(want, result) && !r.quiet || harmed != r.works {
			t.Errorf("in a sandbox (%s): %s, harm %v: want %q", box.name, result, harmed, want)
		}
	}
}

// wanted returns the results of which the attempt may have one inside.
func (r *report) wanted(box sandbox) []string {
	if r.works {
		return []string{done}
	}
	if r.filtered && box.name == killBox {
		return []string{"SIGSYS"}
	}
	var words []string
	for _, e := range r.want {
		words = append(words, unix.ErrnoName(e))
	}
	if r.filtered && box.name == anotherBox {
		return append(words, "EPERM")
	}
	return words
}
