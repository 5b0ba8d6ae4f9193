//go:build linux && (amd64 || arm64)

package host_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// allowedDifferences are the differences between a child of os/exec and one of
// a host, by what the difference is seen in. docs/embedding.md has the same
// list: a test compares them.
var allowedDifferences = []struct{ what, reason string }{
	{"status.PPid", "the parent is the keeper"},
	{"status.SigIgn", "no signal is ignored but what `Spec.Ignore` names; os/exec passes on what the host ignores"},
	{"status.SigBlk", "no signal is blocked; os/exec passes on what the calling thread blocks"},
}

// allowed reports whether name may differ.
func allowed(name string) bool {
	return slices.ContainsFunc(allowedDifferences, func(a struct{ what, reason string }) bool { return a.what == name })
}

// TestAllowedDifferencesAreDocumented looks for each in the table for people.
func TestAllowedDifferencesAreDocumented(t *testing.T) {
	b, err := os.ReadFile("../docs/embedding.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range allowedDifferences {
		if row := fmt.Sprintf("| `%s` | %s |", a.what, a.reason); !strings.Contains(string(b), row) {
			t.Errorf("docs/embedding.md has no row %s", row)
		}
	}
}
