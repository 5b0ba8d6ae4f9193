//go:build linux

package backendtest

import (
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/hatchery-spawn/hatchery/sdk"
)

func TestMain(m *testing.M) {
	os.Exit(Main(m, served()...))
}

// served are the backends that tests have served by a plugin process: the
// saboteurs that can only be caught there.
func served() []sdk.Backend {
	all := []sdk.Backend{honest{}}
	for _, s := range saboteurs() {
		if s.served {
			all = append(all, s.backend)
		}
	}
	return all
}

// subject returns the way in which a saboteur is run.
func (s saboteur) subject() *Subject {
	var sub *Subject
	if p, ok := s.backend.(sdk.Planner); ok && !s.served {
		sub = InProcess(p)
	} else {
		sub = Served(sdk.Entry(s.backend))
	}
	sub.start = s.start
	return sub
}

// TestEachCaseCanFail has every case fail on a backend that breaks what it
// holds, and say what that is. Most of the time the cases wait for something
// that does not come: several are run at once.
func TestEachCaseCanFail(t *testing.T) {
	startFar(t)
	caught := map[string]bool{}
	var together sync.WaitGroup
	places := make(chan struct{}, 8)
	for _, s := range saboteurs() {
		for _, name := range s.breaks {
			caught[name] = true
		}
		if s.root && os.Geteuid() != 0 {
			t.Logf("%s: only root can change identities, and this is user %d", s.name, os.Geteuid())
			continue
		}
		if slices.Contains(s.breaks, "plan-leaks-nothing") {
			continue // it counts what this process has: see below
		}
		together.Go(func() {
			places <- struct{}{}
			s.caught(t)
			<-places
		})
	}
	together.Wait()
	for _, s := range saboteurs() {
		if slices.Contains(s.breaks, "plan-leaks-nothing") {
			s.caught(t)
		}
	}
	for _, c := range Cases() {
		if !caught[c.Name] {
			t.Errorf("nothing shows that the case %s can fail", c.Name)
		}
	}
}

// caught holds that the cases that the saboteur breaks fail, and say why.
func (s saboteur) caught(t *testing.T) {
	for _, c := range Cases() {
		if !slices.Contains(s.breaks, c.Name) {
			continue
		}
		r := s.subject().Check(t.Context(), c, s.options)
		text := strings.Join(r.Text, "\n")
		if r.Outcome != Failed || !strings.Contains(text, s.says) || strings.Contains(text, "panic:") {
			t.Errorf("%s: want it failed, with %q:\n%v", s.name, s.says, r)
		}
	}
}

// TestCasesAreFair runs all cases on those saboteurs that break so
// little that every other case must pass, and on the honest backend.
func TestCasesAreFair(t *testing.T) {
	for _, s := range append([]saboteur{{name: "honest", backend: honest{}}}, saboteurs()...) {
		if s.name != "honest" && !s.fair {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			sub := s.subject()
			cases, err := sub.Cases(t.Context(), s.options)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range cases {
				if slices.Contains(s.breaks, c.Name) {
					continue
				}
				if r := sub.Check(t.Context(), c, s.options); r.Outcome == Failed {
					t.Errorf("%v", r)
				}
			}
		})
	}
}

func TestCasesAreExplained(t *testing.T) {
	seen := map[string]bool{}
	needed := map[Ability]bool{}
	for _, c := range Cases() {
		if c.Name == "" || strings.ContainsAny(c.Name, " /") || seen[c.Name] {
			t.Errorf("the name %q: want one of its own, for -run", c.Name)
		}
		seen[c.Name] = true
		if len(strings.Fields(c.Doc)) < 12 || !strings.HasSuffix(c.Doc, ".") {
			t.Errorf("%s is explained by %q: want a paragraph", c.Name, c.Doc)
		}
		for _, a := range c.Needs {
			needed[a] = true
		}
	}
	for _, a := range Abilities() {
		if !needed[a] {
			t.Errorf("no case needs the ability %s: claiming it would mean nothing", a)
		}
	}
}
