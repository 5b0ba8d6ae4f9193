package archtest

import (
	"fmt"
	"go/ast"
	"slices"
	"testing"
)

// enders may end the process; a library returns an exit code or an error.
// "file.go" behind a package means that file alone.
func enders() []exception {
	return []exception{
		{"cmd/...", "main packages"},
		{"host/init.go", "Init does not return in a process that was re-executed as plugin or keeper"},
		{"backends/early", "the early entry does not return in a plugin whose host has gone"},
		{"actor/park.go", "Park does not return in a process that cannot be what it was started for"},
		{"actor/park_linux.go", "nor in one that is not needed any more"},
		{"internal/keeper/...", "the keeper is a process, entered before main"},
		{"internal/faultplugin/spawn-backend-fault", "tests only: a main package"},
		{"internal/failpoint/...", "tests only: that a process ends is what it is for"},
		{"internal/helperproc/...", "tests only: a helper does not return to TestMain"},
	}
}

func TestOnlyMainEndsTheProcess(t *testing.T) { report(t, checkExits(shipped(t), enders())) }

func checkExits(t *tree, enders []exception) []string {
	var bad []string
	t.handwritten(func(p *pkg, f *file) {
		if slices.ContainsFunc(enders, func(e exception) bool { return within(p.path, e.where) || f.path == e.where }) {
			return
		}
		names := f.names()
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if e, ok := n.(ast.Expr); ok {
				if imp, name, ok := selector(e, names); ok && ends(imp+"."+name) {
					bad = append(bad, fmt.Sprintf("%s: %s.%s ends the process: return an exit code or an error", t.at(e), imp, name))
				}
			}
			return true
		})
	})
	return bad
}

func ends(name string) bool {
	switch name {
	case "os.Exit", "syscall.Exit", "log.Fatal", "log.Fatalf", "log.Fatalln", sysUnix + ".Exit":
		return true
	}
	return false
}

func TestExitsCatches(t *testing.T) {
	const exits = "import \"os\"\nfunc f() { os.Exit(1) }"
	tr := source(t, map[string]string{
		"cmd/x/main.go":         "package main\n" + exits,
		"host/init.go":          "package host\n" + exits,
		"host/other.go":         "package host\n" + exits,
		"internal/keeper/a.go":  "package keeper\n" + exits,
		"internal/keepers/a.go": "package keepers\n" + exits,
		"sdk/a.go":              "package sdk\nimport (\nfoo \"syscall\"\n\"log\"\n)\nfunc f() { g(foo.Exit); log.Fatalf(\"\") }",
		"sdk/fine.go":           "package sdk\nfunc g() { var os T; os.Exit(1) }",
	})
	expect(t, checkExits(tr, enders()),
		"host/other.go:3: os.Exit ends the process",
		"internal/keepers/a.go:3: os.Exit ends",
		"sdk/a.go:6: syscall.Exit ends",
		"sdk/a.go:6: log.Fatalf ends",
	)
}
