package isolate_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/hatchery-spawn/hatchery/backends/isolate"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// TestFeatures: what the probe says works does, and nothing is left of it.
func TestFeatures(t *testing.T) {
	openHost(t)
	t.Setenv("TMPDIR", t.TempDir())
	seen := map[string]bool{}
	for _, f := range isolate.Features(t.Context()) {
		if f.Reason != "" && (f.Name != "ids" || os.Geteuid() == 0) && !slices.Contains([]string{"overlay", "clock", "cpus", "io", "io_weight"}, f.Name) && !strings.HasPrefix(f.Name, "landlock") { // which take a newer kernel, a control group, or a disk
			t.Errorf("%s does not work: %s", f.Name, f.Reason)
		}
		if f.Name == "" || seen[f.Name] {
			t.Errorf("%q is there twice", f.Name)
		}
		seen[f.Name] = true
	}
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); len(left) > 0 || err != nil {
		t.Errorf("it leaves %v, %v", left, err)
	}
}

// TestProbeSaysWhy: in a sandbox, where there are no namespaces to be had, the
// method is unavailable, and the reason says so.
func TestProbeSaysWhy(t *testing.T) {
	if os.Getenv("INNER") != "" {
		err := isolate.New().Probe(t.Context())
		if !errors.Is(err, spawn.ErrUnavailable) || !strings.Contains(err.Error(), "max_user_namespaces") || !errors.Is(err, os.ErrPermission) {
			t.Fatalf("got %v", err)
		}
		return
	}
	h := openHost(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := h.Command("/tmp/test", "-test.run=^TestProbeSaysWhy$")
	c.Dir, c.Env = "/", []string{"INNER=1", "TMPDIR=/tmp"}
	c.Spec.Options = []spawn.Option{{Key: "bind", Value: strings.ReplaceAll(self, ":", `\:`) + ":/tmp/test"}}
	if out, err := c.CombinedOutput(); err != nil || !strings.Contains(string(out), "PASS") {
		t.Errorf("%v\n%s", err, out)
	}
}
