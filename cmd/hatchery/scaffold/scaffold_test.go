package scaffold

import (
	"errors"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// checkout is where this repository is.
const checkout = "../../.."

func write(t *testing.T, o Options) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "new")
	if err := Write(dir, o); err != nil {
		t.Fatal(err)
	}
	return dir
}

func inCheckout(t *testing.T) string {
	t.Helper()
	path := Checkout(".")
	want, err := filepath.Abs(checkout)
	if err != nil || path != want {
		t.Fatalf("the checkout is %q, want %q", path, want)
	}
	return path
}

// needsModules skips where the go command is not there, or has nothing to build the
// framework from: in the module cache of whoever has built this test it is.
func needsModules(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("there is no go command here: ", err)
	}
	cmd := exec.Command("go", "list", "-deps", "-f", "", "./sdk/backendtest")
	cmd.Dir = checkout
	cmd.Env = offline()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("this user's module cache has not what the framework needs: %v: %s", err, out)
	}
}

// TestGo builds what is written and runs its own tests, but for the kit, which is
// run through the command. The module cache has what is needed: it is what this
// test was built with.
func TestGo(t *testing.T) {
	needsModules(t)
	dir := write(t, Options{Key: "careful", Lang: "go", Checkout: inCheckout(t)})
	goCommand(t, dir, "vet", ".")
	goCommand(t, dir, "test", "-run", "TestPlan|TestOptions|TestConformance/inprocess/(description|exit-codes)", ".")
	for _, name := range []string{"main.go", "backend_test.go"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if formatted, err := format.Source(b); err != nil || string(formatted) != string(b) {
			t.Errorf("%s is not formatted: %v", name, err)
		}
	}
}

func TestPython(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no Python here: ", err)
	}
	dir := write(t, Options{Key: "careful", Lang: "python"})
	cmd := exec.Command(python, "-m", "unittest")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "Ran 2 tests") {
		t.Errorf("%v\n%s", err, out)
	}
	st, err := os.Stat(filepath.Join(dir, "spawn-backend-careful.py"))
	if err != nil || st.Mode().Perm() != 0o755 {
		t.Errorf("the plugin: %v, %v; want a file of mode 0755, as a host wants it", st, err)
	}
}

// The example for those who write in another language is what is written here.
func TestPythonIsTheExample(t *testing.T) {
	dir := write(t, Options{Key: "tiny", Lang: "python"})
	got, err := os.ReadFile(filepath.Join(dir, "spawn-backend-tiny.py"))
	want, werr := os.ReadFile(filepath.Join(checkout, "examples/pythonplanner/spawn-backend-tiny.py"))
	page, perr := os.ReadFile(filepath.Join(checkout, "docs/protocol.md"))
	if err := errors.Join(err, werr, perr); err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("what is written for the key tiny is not examples/pythonplanner/spawn-backend-tiny.py:\n%s", got)
	}
	if !strings.Contains(string(page), "```python\n"+string(want)+"```\n") {
		t.Error("docs/protocol.md does not show examples/pythonplanner/spawn-backend-tiny.py as it is")
	}
}

func TestVersions(t *testing.T) {
	for _, c := range []struct {
		o    Options
		has  string
		tidy bool
	}{
		{Options{Version: "v1.2.3"}, "\nrequire " + Module + " v1.2.3\n", true},
		{Options{}, "go 1.26.0\n", true},
		{Options{Checkout: inCheckout(t), Module: "git.example.org/x"}, "module git.example.org/x\n", false},
	} {
		c.o.Key, c.o.Lang = "careful", "go"
		b, err := os.ReadFile(filepath.Join(write(t, c.o), "go.mod"))
		if err != nil || !strings.Contains(string(b), c.has) || c.o.Tidy() != c.tidy {
			t.Errorf("%+v: %v, tidy %v, go.mod is\n%s", c.o, err, c.o.Tidy(), b)
		}
	}
}

func TestNothingIsLost(t *testing.T) {
	dir := t.TempDir()
	kept := filepath.Join(dir, "mine")
	if err := os.WriteFile(kept, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, kept} {
		if err := Write(path, Options{Key: "careful", Lang: "go"}); err == nil || path == dir && !errors.Is(err, ErrNotEmpty) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("there are %v, %v", entries, err)
	}
	if err := Write(filepath.Join(dir, "new"), Options{Key: "careful", Lang: "cobol"}); err == nil || !strings.Contains(err.Error(), "go, python") {
		t.Errorf("an unknown language: %v", err)
	}
}
