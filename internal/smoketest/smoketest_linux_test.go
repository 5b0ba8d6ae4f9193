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

// remains returns the processes of this run that are there: leakcheck does not see
// those whose parent is gone.
func remains() (left []string) {
	mark := fmt.Sprintf("HATCHERY_SMOKETEST=%d\x00", os.Getpid())
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, file := range files {
		text, _ := os.ReadFile(file)
		if strings.Contains(string(text)+"\x00", mark) {
			line, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline"))
			left = append(left, fmt.Sprintf("%s %q", filepath.Dir(file), line))
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

func TestRemainsAreSeen(t *testing.T) {
	s := new(stage)
	defer s.clear()
	if _, err := s.start(nil, "pauser"); err != nil {
		t.Fatal(err)
	}
	if left := remains(); len(left) != 1 {
		t.Errorf("a process that is left is not seen: %q", left)
	}
}
