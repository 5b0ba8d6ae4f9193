package archtest

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strconv"
	"testing"

	"github.com/hatchery-spawn/hatchery/internal/failpoint"
)

const failpoints = "internal/failpoint"

func TestFailpointsAreInTheTable(t *testing.T) {
	report(t, checkFailpoints(shipped(t), failpoint.Points()))
}

// checkFailpoints holds the code against the table: every name in it is a step
// of the code, in one place, that can return an error if the table says so; and
// the code uses no other names.
func checkFailpoints(t *tree, table []failpoint.Info) (bad []string) {
	names := map[string]failpoint.Point{} // of the constants
	if p := t.pkgs[failpoints]; p != nil {
		for _, f := range p.files {
			pointConstants(f, names)
		}
	}
	uses := map[failpoint.Point][]string{} // the functions that take it
	t.handwritten(func(p *pkg, f *file) {
		imports := f.names()
		ast.Inspect(f.ast, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			imp, function, _ := selector(call.Fun, imports)
			if imp != module+"/"+failpoints || function != "Pass" && function != "Fail" {
				return true
			}
			_, name, _ := selector(call.Args[0], imports)
			if point, ok := names[name]; ok {
				uses[point] = append(uses[point], function)
			} else {
				bad = append(bad, fmt.Sprintf("%s: failpoint.%s wants a constant of the table", t.at(call), function))
			}
			return true
		})
	})
	for name, point := range names {
		if !slices.ContainsFunc(table, func(i failpoint.Info) bool { return i.Point == point }) {
			bad = append(bad, fmt.Sprintf("%s (%s) is not in the table", name, point))
		}
	}
	for _, i := range table {
		want := "Pass"
		if i.Fails {
			want = "Fail"
		}
		if got := uses[i.Point]; len(got) != 1 || got[0] != want {
			bad = append(bad, fmt.Sprintf("%s: the code calls %q with it: want one %s", i.Point, got, want))
		}
		if i.Where == "" {
			bad = append(bad, fmt.Sprintf("%s: the table does not say where it is", i.Point))
		}
	}
	slices.Sort(bad)
	return bad
}

// pointConstants adds the constants of type Point in a file.
func pointConstants(f *file, names map[string]failpoint.Point) {
	for _, d := range f.ast.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		for _, s := range g.Specs {
			v := s.(*ast.ValueSpec)
			if id, ok := v.Type.(*ast.Ident); ok && id.Name == "Point" {
				value, _ := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
				names[v.Names[0].Name] = failpoint.Point(value)
			}
		}
	}
}

func TestFailpointsCatches(t *testing.T) {
	in := "import \"" + module + "/" + failpoints + "\"\n"
	tr := source(t, map[string]string{
		failpoints + "/a.go": "package failpoint\ntype Point string\nconst (\nA Point = \"a\"\nB Point = \"b\"\nC Point = \"c\"\nD Point = \"d\"\n)",
		"host/a.go":          "package host\n" + in + "func f() { failpoint.Pass(failpoint.A); failpoint.Pass(failpoint.B); failpoint.Pass(failpoint.B); failpoint.Pass(\"x\") }",
	})
	bad := checkFailpoints(tr, []failpoint.Info{{Point: "a", Where: "x", Fails: true}, {Point: "b", Where: "x"}, {Point: "c"}})
	expect(t, bad, "D (d) is not in the table", `a: the code calls ["Pass"] with it: want one Fail`,
		`b: the code calls ["Pass" "Pass"]`, `c: the code calls []`, "c: the table does not say", "host/a.go:3: failpoint.Pass wants")
}
