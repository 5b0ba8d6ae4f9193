//go:build linux

package backendtest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/hatchery-spawn/hatchery/sdk"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A fake stands for *testing.T in Run: it keeps the names and outcomes of the
// tests below it.
type fake struct {
	*recorder
	name string
	ran  *[]Result
}

func (f fake) Run(name string, run func(fake)) bool {
	sub := fake{newRecorder(context.Background()), f.name + "/" + name, f.ran}
	r := sub.record(sub.name, "", func() { run(sub) })
	*f.ran = append(*f.ran, r)
	return r.Outcome != Failed
}

func runFake(b sdk.Backend, o Options) []Result {
	f := fake{newRecorder(context.Background()), "", new([]Result)}
	f.record("", "", func() { Run(f, b, o) })
	return *f.ran
}

// absent is a method that does not work here.
type absent struct{ honest }

func (absent) Probe(context.Context) error {
	return &spawn.Error{Kind: spawn.ErrUnavailable, Msg: "it needs a second moon"}
}

func TestRunSkipsWhatIsUnavailable(t *testing.T) {
	all := runFake(absent{}, Options{})
	at := slices.IndexFunc(all, func(r Result) bool { return r.Case == "/inprocess" })
	if at < 0 || all[at].Outcome != Skipped || !strings.Contains(all[at].Text[0], "a second moon") {
		t.Errorf("%v", all)
	}
}

func TestRunWays(t *testing.T) {
	none := Options{Claims: []Ability{}, Binary: "/no/such/binary"}
	got := map[string]Outcome{}
	for _, r := range runFake(honest{}, none) {
		got[r.Case] = r.Outcome
	}
	for name, want := range map[string]Outcome{
		"/inprocess/description": Passed, "/inprocess/unknown-option": Passed, "/inprocess/unclaimed-abilities": Failed,
		"/plugin/plan-repeats": Passed, "/binary": Failed,
	} {
		if got[name] != want {
			t.Errorf("%s: %q, want %q", name, got[name], want)
		}
	}
	if _, ok := got["/inprocess/exit-codes"]; ok {
		t.Error("a case ran whose needs are not claimed")
	}
}

func TestExceptSkips(t *testing.T) {
	bad := planner{describe: func(d *sdk.Description) { d.Summary = "" }}
	r := InProcess(bad).Check(t.Context(), Cases()[0], Options{Except: []string{"description"}})
	if r.Outcome != Skipped || r.Case != "description" {
		t.Errorf("%v", r)
	}
}

func TestCasesOfASubject(t *testing.T) {
	names := func(s *Subject, o Options) (all []string) {
		cases, err := s.Cases(t.Context(), o)
		if err != nil {
			t.Error(err)
		}
		for _, c := range cases {
			all = append(all, c.Name)
		}
		return all
	}
	if got := names(InProcess(stub(nil)), Options{Claims: Abilities()}); !slices.Equal(got, []string{"description", "blocked-refuses", "blocked-refuses-garbage", "blocked-host-lives"}) {
		t.Errorf("a blocked method runs %q", got)
	}
	if got := names(Served(sdk.Entry(parent{})), Options{Claims: []Ability{Programs}}); slices.Contains(got, "plan-repeats") || slices.Contains(got, "inherited") || !slices.Contains(got, "exit-codes") {
		t.Errorf("a spawner runs %q", got)
	}
	if _, err := InProcess(honest{}).Cases(t.Context(), Options{Claims: []Ability{Blocked}}); err == nil || !strings.Contains(err.Error(), "cannot be claimed") {
		t.Errorf("claiming what is found out: %v", err)
	}
	if _, err := InProcess(absent{}).Cases(t.Context(), Options{}); !errors.Is(err, spawn.ErrUnavailable) {
		t.Errorf("an unavailable method: %v", err)
	}
}
