package archtest

import (
	"fmt"
	"go/ast"
	"slices"
	"testing"
)

// keepers of a context, as package and type.
func contextExceptions() []exception {
	return []exception{
		{"host.Host", "no caller's context: it says that the host lives, and lets context.AfterFunc listen for the end"},
		{"host.spawnBound", "it is a context itself, made around the caller's"},
		{"host.Nursery", "no caller's context: it is what body has, and ends when the nursery is canceled"},
		{"host.Cmd", "as exec.Cmd: the context comes with the command and ends it; apologies to the rule"},
	}
}

func TestNoStructKeepsAContext(t *testing.T) {
	report(t, checkContexts(shipped(t), contextExceptions()))
}

func checkContexts(t *tree, exceptions []exception) []string {
	var bad []string
	t.handwritten(func(p *pkg, f *file) {
		names := f.names()
		owner := ""
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				owner = n.Name.Name
			case *ast.TypeSpec:
				owner = n.Name.Name
			case *ast.StructType:
				if slices.ContainsFunc(exceptions, func(e exception) bool { return e.where == p.path+"."+owner }) {
					return true
				}
				for _, field := range n.Fields.List {
					if imp, name, ok := selector(field.Type, names); ok && imp == "context" && name == "Context" {
						bad = append(bad, fmt.Sprintf("%s: a struct of %s.%s keeps a context: pass it as the first argument", t.at(field), p.path, owner))
					}
				}
			}
			return true
		})
	})
	return bad
}

func TestContextsCatches(t *testing.T) {
	tr := source(t, map[string]string{
		"host/a.go": `package host
import "context"
type Cmd struct { ctx context.Context }
type Process struct { ctx context.Context; f func(context.Context) }
`,
		"sdk/a.go": `package sdk
import c "context"
type T struct { c.Context }
func f(ctx c.Context) { var x struct { ctx c.Context } }
type I interface { M(ctx c.Context) }
`,
	})
	expect(t, checkContexts(tr, contextExceptions()),
		"host/a.go:4: a struct of host.Process keeps a context",
		"sdk/a.go:3: a struct of sdk.T keeps",
		"sdk/a.go:4: a struct of sdk.f keeps",
	)
}
