package smoketest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
)

func TestMain(m *testing.M) {
	if code, ok := Main(os.Args); ok {
		os.Exit(code)
	}
	code := leakcheck.Main(m)
	if left := remains(); len(left) > 0 {
		fmt.Fprintf(os.Stderr, "processes are left: %q\n", left)
		code = 1
	}
	os.Exit(code)
}

// remains returns the processes of scenarios that are there: leakcheck does not
// see those whose parent is gone.
func remains() (left []string) {
	self, _ := os.Stat("/proc/self/exe")
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range lines {
		text, _ := os.ReadFile(file)
		exe, err := os.Stat(filepath.Join(filepath.Dir(file), "exe"))
		if args := strings.Split(string(text), "\x00"); err == nil && os.SameFile(exe, self) && len(args) > 2 && args[1] == argument {
			left = append(left, filepath.Base(filepath.Dir(file))+" "+args[2])
		}
	}
	return left
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
