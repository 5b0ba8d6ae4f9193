package smoketest

import (
	"os"
	"testing"

	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
)

func TestMain(m *testing.M) {
	if code, ok := Main(os.Args); ok {
		os.Exit(code)
	}
	os.Exit(leakcheck.Main(m))
}

// TestScenarios runs them all at the same time, as nobody would by hand.
func TestScenarios(t *testing.T) {
	for _, s := range All() {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			r := s.Run(t.Context(), Options{})
			if r.Outcome != Passed {
				t.Error(r.Banner())
			}
			t.Log(r.Banner(), r.Took)
		})
	}
}

// TestSabotage takes from each scenario what it is about, in every way: it must
// notice.
func TestSabotage(t *testing.T) {
	for _, s := range All() {
		if len(s.Sabotage) == 0 {
			t.Errorf("%s cannot be made to fail", s.Name)
		}
		for _, how := range s.Sabotage {
			t.Run(s.Name+"/"+how, func(t *testing.T) {
				t.Parallel()
				r := s.Run(t.Context(), Options{Sabotage: how})
				if r.Outcome != Failed {
					t.Error(r.Banner())
				}
				t.Log(r.Banner(), r.Took)
			})
		}
	}
}
