//go:build linux && (amd64 || arm64)

package host_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// isolatedKey is the method whose children are in a sandbox.
const isolatedKey = "isolate"

// isolatedDifferences are the differences between a child of os/exec and one in a
// sandbox, as seen from outside, beside those of every method. A name that ends
// with a star stands for all that begin so. docs/isolate.md has the same list: a
// test compares them.
var isolatedDifferences = []struct{ what, reason string }{
	{"ns.*", "it has namespaces of its own"},
	{"uid_map", "its user namespace has a single id"},
	{"gid_map", "its user namespace has a single id"},
	{"mountinfo", "its mounts are its own"},
	{"mount.*", "of what it was not handed, started by root: the `/dev/null` of its own root"},
	{"capabilities", "it has none"},
	{"status.Cap*", "it has no capability in any set"},
	{"status.NoNewPrivs", "it can gain no right by an exec"},
	{"status.Seccomp*", "its system calls are filtered"},
}

func isolatedDifference(name string) bool {
	for _, d := range isolatedDifferences {
		if prefix, all := strings.CutSuffix(d.what, "*"); name == d.what || all && strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// isolatedWish makes of a wish one that a sandbox can fulfil: it sees the folder of
// the test, has the environment that it would have, and joins no group.
func isolatedWish(w *wish, dir string) {
	s := &w.spec
	s.Options = []spawn.Option{{Key: "bind", Value: dir + ":" + dir + ":rw"}}
	if s.Env == nil {
		s.Env = os.Environ()
	}
	if w.joins = false; s.Group > 0 {
		s.Group = spawn.HostGroup
	}
}

// TestIsolatedDifferencesAreDocumented looks for each in the table for people.
func TestIsolatedDifferencesAreDocumented(t *testing.T) {
	b, err := os.ReadFile("../docs/isolate.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range isolatedDifferences {
		if row := fmt.Sprintf("| `%s` | %s |", d.what, d.reason); !strings.Contains(string(b), row) {
			t.Errorf("docs/isolate.md has no row %s", row)
		}
	}
}
