package telemetry_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"testing"

	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"

	"github.com/google/go-cmp/cmp"

	"github.com/hatchery-spawn/hatchery/host/telemetry"
)

// The page has the names of the code, each once in the first column of a table, and no
// others.
func TestThePageHasAllNames(t *testing.T) {
	page, err := os.ReadFile("../../docs/observability.md")
	if err != nil {
		t.Fatal(err)
	}
	var there []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z.]+\\.[a-z._]+)` \\|").FindAllSubmatch(page, -1) {
		there = append(there, string(m[1]))
	}
	want := names(t)
	slices.Sort(there)
	slices.Sort(want)
	if diff := cmp.Diff(want, there); diff != "" {
		t.Errorf("names.go (-) and docs/observability.md (+) differ:\n%s", diff)
	}
}

// names are the constants of names.go, but for the scope.
func names(t *testing.T) (list []string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "names.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		name, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		if v.Names[0].Name != "Scope" {
			list = append(list, name)
		}
		return true
	})
	if len(list) < 10 {
		t.Fatalf("only %d names were found", len(list))
	}
	return list
}

func TestNamesAreThoseOfTheConventions(t *testing.T) {
	for _, c := range []struct{ ours, theirs string }{
		{telemetry.AttrPid, string(semconv.ProcessPIDKey)},
		{telemetry.AttrExecutableName, string(semconv.ProcessExecutableNameKey)},
		{telemetry.AttrExecutablePath, string(semconv.ProcessExecutablePathKey)},
		{telemetry.AttrExitCode, string(semconv.ProcessExitCodeKey)},
		{telemetry.AttrErrorType, string(semconv.ErrorTypeKey)},
	} {
		if c.ours != c.theirs {
			t.Errorf("%s, want %s", c.ours, c.theirs)
		}
	}
}
