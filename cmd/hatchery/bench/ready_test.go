//go:build linux && (amd64 || arm64)

package bench

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
)

// TestReady has every way of getting a program ready measured, or says why not.
func TestReady(t *testing.T) {
	cfg := config(t, Tiny)
	cfg.Methods, cfg.Callers, cfg.Rounds = []string{forkserver}, []int{1}, 1
	r := Run(t.Context(), cfg)
	if len(r.Ready) != 5 {
		t.Fatalf("%+v", r.Ready)
	}
	_, missing := exec.LookPath("python3")
	for _, row := range r.Ready {
		switch {
		case row.Program == Python && missing != nil:
			if row.Skipped != "python3 is not installed" || row.Runs != 0 {
				t.Errorf("%+v", row)
			}
		case row.Program == Python && strings.Contains(row.Skipped, "does not import"):
			t.Log(row.Skipped)
		case row.Skipped != "" || row.Runs == 0 || row.Median <= 0 || row.P99 < row.Median:
			t.Errorf("%+v", row)
		case row.Method == forkserver && row.Memory < 100_000:
			t.Errorf("a process that waits takes nothing: %+v", row)
		case row.Method == OSExec && len(row.Ratios) > 0, row.Method == forkserver && len(row.Ratios) == 0:
			t.Errorf("%+v", row)
		}
	}
	var out bytes.Buffer
	if err := r.Print(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\nuntil the code of a Go worker (", "\nuntil the code of a Python program ", "a process that waits takes "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, &out)
		}
	}
}

// TestReadyWithoutPython says why there is no Python program.
func TestReadyWithoutPython(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	all, end := new(bench).pythons(t.Context())
	defer end()
	for _, r := range readyResults(all) {
		if r.Skipped != "python3 is not installed" || r.Runs != 0 {
			t.Errorf("%+v", r)
		}
	}
}
