package backendtest

import (
	"bytes"
	"os"
	"reflect"
	"sync"

	"github.com/hatchery-spawn/hatchery/spawn"
)

func planCases() []Case {
	needs := []Ability{Plans, Works}
	return append([]Case{{
		Name: "plan-repeats",
		Doc: "Planning depends on nothing but the Spec: the same Spec gets an equal plan, asked twice, asked by many at the same time, " +
			"and asked of another plugin process. What somebody saw by hatchery plan is what is run.",
		Needs: needs,
		Run:   planRepeats,
	}, {
		Name: "plan-reusable",
		Doc: "A plan that is marked reusable is the same for every program, argument list, environment, directory and set of " +
			"descriptors: the host keeps it and fills these in for other children, without asking the backend again.",
		Needs: needs,
		Run:   planReusable,
	}, {
		Name: "plan-basis",
		Doc: "A plan that says what it was made from says what is there: each file as it is found behind it, by a path from the root. The host keeps " +
			"such a plan and does not ask again; it would ask for every child, or never again.",
		Needs: needs,
		Run:   planBasis,
	}, {
		Name: "plan-spares-spec",
		Doc: "Planning and starting change nothing in the Spec: a caller may use it again, and does so from several goroutines. In the " +
			"caller's process the backend gets a copy of its own, which it leaves alone too.",
		Needs: needs,
		Run:   planSparesSpec,
	}}, planSystemCases()...)
}

// manySpecs returns Specs of different shapes that the backend claims to serve.
func (e *Env) manySpecs() map[string]spawn.Spec {
	mask := uint32(0o027)
	all := map[string]spawn.Spec{
		"plain": {Path: "/bin/sh", Args: []string{"sh"}, Env: []string{"A=1"}},
	}
	if e.Has(Directory) {
		all["directory"] = spawn.Spec{Path: "/bin/sh", Env: []string{}, Dir: "/"}
	}
	if e.Has(Groups) {
		all["session"] = spawn.Spec{Path: "/bin/sh", Env: []string{}, Session: true}
	}
	if e.Has(Umask) && e.Has(Limits) {
		all["limited"] = spawn.Spec{Path: "/bin/sh", Env: []string{}, Umask: &mask, Limits: []spawn.Limit{{Resource: 4, Soft: 0, Hard: 0}}}
	}
	return all
}

// planned returns a plan, which there has to be, for a look at its steps: its
// files are closed.
func (e *Env) planned(t T, what string, spec spawn.Spec) *spawn.Plan {
	t.Helper()
	plan, err := e.Plan(t.Context(), spec)
	if err != nil {
		t.Fatalf("the plan of %s: %v", what, err)
	}
	if !plan.Reusable {
		plan.CloseFiles()
	}
	return plan
}

func samePlan(a, b *spawn.Plan) bool {
	return a.Reusable == b.Reusable && reflect.DeepEqual(a.Steps, b.Steps)
}

func planRepeats(t T, e *Env) {
	another := e.Another(t)
	for name, spec := range e.manySpecs() {
		first := e.planned(t, name, spec)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				again, err := e.Plan(t.Context(), spec)
				if err != nil {
					t.Errorf("the plan of %s, asked again: %v", name, err)
					return
				}
				if !again.Reusable {
					again.CloseFiles()
				}
				if !samePlan(first, again) {
					t.Errorf("%s: asked again, the plan is\n%v\nand was\n%v", name, again.Steps, first.Steps)
				}
			})
		}
		wg.Wait()
		if other := another.planned(t, name, spec); !samePlan(first, other) {
			t.Errorf("%s: on another host the plan is\n%v\nand was\n%v", name, other.Steps, first.Steps)
		}
	}
}

func planReusable(t T, e *Env) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer null.Close()
	base := spawn.Spec{Path: "/bin/sh", Args: []string{"sh", "-c", ":"}, Env: []string{"A=1"}}
	if e.Has(Directory) {
		base.Dir = "/"
	}
	plan := e.planned(t, "a shell", base)
	if !plan.Reusable {
		t.Skipf("its plans are not reusable")
	}
	change := func(f func(*spawn.Spec)) spawn.Spec { s := base; f(&s); return s }
	others := map[string]spawn.Spec{
		"another program":   change(func(s *spawn.Spec) { s.Path = "/bin/ls" }),
		"a name for $PATH":  change(func(s *spawn.Spec) { s.Path = "true" }),
		"other arguments":   change(func(s *spawn.Spec) { s.Args = []string{"\xff", "", "--help"} }),
		"no arguments":      change(func(s *spawn.Spec) { s.Args = nil }),
		"another variable":  change(func(s *spawn.Spec) { s.Env = []string{"B=2", "PATH=/", "LD_PRELOAD=x"} }),
		"no environment":    change(func(s *spawn.Spec) { s.Env = []string{} }),
		"other descriptors": change(func(s *spawn.Spec) { s.Files = []*os.File{null, nil, null} }),
	}
	if e.Has(Directory) {
		others["another directory"] = change(func(s *spawn.Spec) { s.Dir = os.TempDir() })
	}
	for name, spec := range others {
		// Another host, which has not kept the plan.
		if got := e.Another(t).planned(t, name, spec); !samePlan(plan, got) {
			t.Errorf("the plan is reusable, and with %s it is\n%v\ninstead of\n%v", name, got.Steps, plan.Steps)
		}
	}
}

func planBasis(t T, e *Env) {
	some := false
	for name, spec := range e.manySpecs() {
		b := e.planned(t, name, spec).Basis
		if b == nil {
			continue
		}
		some = true
		for _, f := range b.Files {
			one := spawn.Basis{Files: []spawn.FileState{f}}
			if !one.FilesHold() {
				t.Errorf("the plan of %s was made from a file as it is not: %+v", name, f)
			}
		}
		if int(b.Args) > len(spec.Args) {
			t.Errorf("the plan of %s was made from %d arguments, and there are %d", name, b.Args, len(spec.Args))
		}
	}
	if !some {
		t.Skipf("its plans do not say what they were made from")
	}
}

func planSparesSpec(t T, e *Env) {
	for name, spec := range e.manySpecs() {
		before := encoded(t, &spec)
		e.planned(t, name, spec)
		if !bytes.Equal(before, encoded(t, &spec)) {
			t.Errorf("%s: asking for the plan has changed the Spec", name)
		}
		if e.subject.planner == nil {
			continue
		}
		given := e.options.settled(spec)
		sent, err := overTheWire(&given)
		if err != nil {
			t.Fatalf("%v", err)
		}
		if _, err := e.subject.planner.Plan(t.Context(), sent); err != nil {
			t.Fatalf("the plan of %s: %v", name, err)
		}
		if !bytes.Equal(encoded(t, &given), encoded(t, sent)) {
			t.Errorf("%s: the backend has changed the Spec that it was given", name)
		}
	}
}

func encoded(t T, spec *spawn.Spec) []byte {
	t.Helper()
	b, err := spec.AppendBinary(nil)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return b
}
