package backendtest

import (
	"os"
	"time"

	"github.com/hatchery-spawn/hatchery/spawn"
)

func planSystemCases() []Case {
	return []Case{{
		Name: "plan-leaks-nothing",
		Doc: "Planning starts nothing and leaves nothing open: after 60 plans and as many refusals, the process that made them has as many " +
			"descriptors and descendants as before, and this one has too.",
		Needs: []Ability{Plans, Works},
		Run:   planLeaksNothing,
	}}
}

func planLeaksNothing(t T, e *Env) {
	pids := []int{os.Getpid()}
	if e.Has(Plugin) {
		pids = append(pids, e.plugin(t))
	}
	e.planMany(t, 3) // whatever is opened once and kept, a poller, a library
	var files, children []int
	for _, pid := range pids {
		f, c := holdings(pid)
		files, children = append(files, f), append(children, c)
	}
	e.planMany(t, 60)
	for i, pid := range pids {
		who := "the plugin"
		if pid == os.Getpid() {
			who = "this process"
		}
		f, c := settled(t, pid, files[i], children[i])
		if f > files[i] {
			t.Errorf("%s had %d descriptors, and %d after planning", who, files[i], f)
		}
		if c > children[i] {
			t.Errorf("%s had %d descendants, and %d after planning", who, children[i], c)
		}
	}
}

// planMany asks for plans of n shapes, as far as there are so many, and n times
// for one that is refused.
func (e *Env) planMany(t T, n int) {
	t.Helper()
	for i := range n {
		spec := spawn.Spec{Path: "/bin/sh", Env: []string{}}
		if e.Has(Umask) {
			mask := uint32(0o777 - i)
			spec.Umask = &mask
		}
		e.planned(t, "a shell", spec)
		spec.Options = []spawn.Option{{Key: noSuchOption}}
		if p, err := e.Plan(t.Context(), spec); err == nil && !p.Reusable {
			p.CloseFiles()
		}
	}
}

// settled waits until a process has no more than it had, or it is clear that
// it keeps it. Nothing tells when somebody else closes a descriptor.
func settled(t T, pid, files, children int) (f, c int) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(soon / 2); ; <-tick.C {
		f, c = holdings(pid)
		if f <= files && c <= children || time.Now().After(end) {
			return f, c
		}
	}
}
