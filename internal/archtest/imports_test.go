package archtest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestImportsGoDownOnly(t *testing.T) { report(t, checkImports(shipped(t), rows())) }

// checkImports holds every file against the row of its package.
func checkImports(t *tree, rows []row) []string {
	var bad []string
	for _, p := range t.sorted() {
		r, ok := rowOf(rows, p.path)
		if !ok {
			bad = append(bad, fmt.Sprintf("package %s has no row: add a row to rows_test.go that says what it may import", p.path))
			continue
		}
		for _, f := range p.files {
			for i, imp := range f.imports() {
				if !r.allows(imp) {
					bad = append(bad, fmt.Sprintf("%s: %s must not import %s", t.at(f.ast.Imports[i]), p.path, imp))
				}
			}
		}
	}
	return bad
}

func (r row) allows(imp string) bool {
	if imp == module || strings.HasPrefix(imp, module+"/") {
		inside := strings.TrimPrefix(strings.TrimPrefix(imp, module), "/")
		return slices.ContainsFunc(r.module, func(pattern string) bool { return within(inside, pattern) })
	}
	if standard(imp) {
		return !r.first || imp == "unsafe"
	}
	return slices.ContainsFunc(r.others, func(pattern string) bool { return within(imp, pattern) })
}

// standard reports whether imp is of the standard library: the first part of
// every other path has a dot. Package "C" is not: what ships has no cgo.
func standard(imp string) bool {
	first, _, _ := strings.Cut(imp, "/")
	return !strings.Contains(first, ".") && imp != "C"
}

func TestImportsCatches(t *testing.T) {
	const in = "github.com/hatchery-spawn/hatchery/"
	tr := source(t, map[string]string{
		"spawn/a.go":                     "package spawn\nimport (\n\"fmt\"\n\"" + in + "registry\"\n)",
		"registry/a.go":                  "package registry\nimport \"" + in + "spawn\"",
		"host/a.go":                      "package host\nimport (\n\"" + in + "backends\"\n\"" + in + "sdk\"\n\"" + in + "internal/wire\"\n)",
		"backends/isolate/a.go":          "package isolate\nimport (\n\"" + in + "host\"\n\"" + in + "backends/forkexec\"\n\"" + in + "sdk\"\n)",
		"sdk/a.go":                       "package sdk\nimport \"google.golang.org/grpc/codes\"",
		"internal/lane/a.go":             "package lane\nimport \"golang.org/x/sys/unix\"",
		"internal/linux/startlimit/a.go": "package startlimit\nimport (\n\"unsafe\"\n\"syscall\"\n)",
		"internal/linux/a.go":            "package linux\nimport (\n\"golang.org/x/sys/unix\"\n\"C\"\n)",
		"internal/wire/a.go":             "package wire\nimport (\n\"github.com/hashicorp/go-plugin\"\n\"github.com/hashicorp/go-plugins\"\n)",
		"internal/new/a.go":              "package new",
		"cmd/hatchery/a.go":              "package main\nimport (\n\"" + in + "internal/lane\"\n\"" + in + "host\"\n)",
		"spawn/a_test.go":                "package spawn\nimport \"" + in + "host\"",
		"examples/go.mod":                "module example",
		"examples/x/a.go":                "package x\nimport \"nowhere.example\"",
		"spawn/testdata/a.go":            "package x\nimport \"nowhere.example\"",
	})
	expect(t, checkImports(tr, rows()),
		"backends/isolate/a.go:3: backends/isolate must not import "+in+"host",
		"backends/isolate must not import "+in+"backends/forkexec",
		"cmd/hatchery must not import "+in+"internal/lane",
		"host must not import "+in+"backends",
		"host must not import "+in+"sdk",
		"internal/lane must not import golang.org/x/sys/unix",
		"internal/linux must not import C",
		"internal/linux/startlimit must not import syscall",
		"package internal/new has no row: add a row",
		"internal/wire must not import github.com/hashicorp/go-plugins",
		"sdk must not import google.golang.org/grpc/codes",
		"spawn must not import "+in+"registry",
	)
}
