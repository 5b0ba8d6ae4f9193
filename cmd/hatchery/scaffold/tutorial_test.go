package scaffold

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// tutorial returns the first block of Go in docs/writing-a-backend.md that has
// the text in it.
func tutorial(t *testing.T, has string) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(checkout, "docs/writing-a-backend.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?s)```go\n(.*?)```\n").FindAllStringSubmatch(string(page), -1) {
		if strings.Contains(m[1], has) {
			return m[1]
		}
	}
	t.Fatalf("docs/writing-a-backend.md has no block of Go with %q", has)
	return ""
}

// sumTest runs the spawner of the page as a plugin of its own test binary.
const sumTest = `package main

import (
	"os"
	"strings"
	"testing"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/sdk/backendtest"
)

func TestMain(m *testing.M) { os.Exit(backendtest.Main(m, sum{})) }

func TestSum(t *testing.T) {
	h, err := host.Open(host.Config{Method: "sum"})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	cmd := h.Command("x")
	cmd.Stdin = strings.NewReader("hello\n")
	out, err := cmd.Output()
	if err != nil || string(out) != "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03\n" {
		t.Errorf("%q, %v", out, err)
	}
}
`

// TestTutorial compiles and runs the code of docs/writing-a-backend.md as it stands
// there: what a reader copies works.
func TestTutorial(t *testing.T) {
	needsModules(t)
	imports := func(paths ...string) string {
		return "package main\n\nimport (\n\t\"" + strings.Join(paths, "\"\n\t\"") + "\"\n)\n\n"
	}
	const sdk, spawn = Module + "/sdk", Module + "/spawn"
	files := map[string]string{
		"nice/main.go":      tutorial(t, "type nice struct"),
		"nice/plan_test.go": imports("slices", "testing", spawn) + tutorial(t, "func TestPlan("),
		"nice/kit_test.go":  tutorial(t, "func TestConformance("),
		"nice/probe_test.go": imports("context", "os", sdk, spawn) +
			strings.ReplaceAll(tutorial(t, ") Probe("), "(backend)", "(nice)") + "\nvar _ sdk.Prober = nice{}\n",
		"sum/main.go":     imports("context", "crypto/sha256", "fmt", "io", "os", "syscall", sdk, spawn) + tutorial(t, "type sum struct"),
		"sum/sum_test.go": sumTest,
	}
	dir := write(t, Options{Key: "nice", Lang: "go", Checkout: inCheckout(t)})
	for _, name := range []string{"main.go", "backend_test.go"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	goCommand(t, dir, "vet", "./...")
	goCommand(t, dir, "test", "-run", "TestPlan|TestSum|TestConformance/inprocess/(description|unknown|exit-codes)", "./...")
}

// goCommand runs the go command, which has what this test was built with and asks
// nobody for more.
func goCommand(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = offline()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go %q: %v\n%s", args, err, out)
	}
}

func offline() []string {
	return append(os.Environ(), "GOFLAGS=-mod=readonly -buildvcs=false", "GOPROXY=off", "GOWORK=off")
}
