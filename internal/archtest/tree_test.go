package archtest

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
)

const module = "github.com/hatchery-spawn/hatchery"

// A tree is the source of the module: everything that is shipped, for every
// system, without tests.
type tree struct {
	fset *token.FileSet
	pkgs map[string]*pkg // by path inside the module; "." is the root
}

type pkg struct {
	path  string
	name  string
	files []*file
}

type file struct {
	path      string // inside the module
	ast       *ast.File
	lines     int
	generated bool
}

// shipped returns the tree of this checkout, parsed once.
func shipped(t *testing.T) *tree {
	t.Helper()
	tr, err := shippedOnce()
	if err != nil {
		t.Fatal(err)
	}
	if len(tr.pkgs) < 5 {
		t.Fatalf("only %d packages were found", len(tr.pkgs))
	}
	return tr
}

var shippedOnce = sync.OnceValues(func() (*tree, error) {
	root, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	for {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			return load(os.DirFS(root))
		}
		if parent := filepath.Dir(root); parent != root {
			root = parent
			continue
		}
		return nil, fs.ErrNotExist
	}
})

// source returns the tree of the given files, for tests of the rules.
func source(t *testing.T, files map[string]string) *tree {
	t.Helper()
	m := make(fstest.MapFS)
	for name, text := range files {
		m[name] = &fstest.MapFile{Data: []byte(text)}
	}
	tr, err := load(m)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func load(fsys fs.FS) (*tree, error) {
	t := &tree{fset: token.NewFileSet(), pkgs: make(map[string]*pkg)}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skipFolder(fsys, name)
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		return t.parse(fsys, name)
	})
	return t, err
}

// skipFolder leaves out what the go command leaves out: other modules, test
// data, and folders with a dot or an underscore.
func skipFolder(fsys fs.FS, name string) error {
	if name == "." {
		return nil
	}
	base := path.Base(name)
	if base == "testdata" || base == "vendor" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") {
		return fs.SkipDir
	}
	if _, err := fs.Stat(fsys, path.Join(name, "go.mod")); err == nil {
		return fs.SkipDir
	}
	return nil
}

func (t *tree) parse(fsys fs.FS, name string) error {
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		return err
	}
	f, err := parser.ParseFile(t.fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	dir := path.Dir(name)
	p := t.pkgs[dir]
	if p == nil {
		p = &pkg{path: dir, name: f.Name.Name}
		t.pkgs[dir] = p
	}
	p.files = append(p.files, &file{
		path: name, ast: f, lines: bytes.Count(text, []byte("\n")), generated: ast.IsGenerated(f),
	})
	return nil
}

// sorted returns the packages in the order of their paths.
func (t *tree) sorted() []*pkg {
	var out []*pkg
	for _, p := range t.pkgs {
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b *pkg) int { return strings.Compare(a.path, b.path) })
	return out
}

// handwritten calls f for each file that people wrote.
func (t *tree) handwritten(f func(*pkg, *file)) {
	for _, p := range t.sorted() {
		for _, fl := range p.files {
			if !fl.generated {
				f(p, fl)
			}
		}
	}
}

// at returns where n stands, as file:line.
func (t *tree) at(n ast.Node) string {
	pos := t.fset.Position(n.Pos())
	return pos.Filename + ":" + strconv.Itoa(pos.Line)
}

// imports returns what the file imports, in order.
func (f *file) imports() []string {
	var out []string
	for _, spec := range f.ast.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		out = append(out, p)
	}
	return out
}

// names returns what the file's imports are called in it. Where the name is not
// given it is guessed from the path, as people name packages.
func (f *file) names() map[string]string {
	out := make(map[string]string)
	for i, p := range f.imports() {
		name := path.Base(p)
		if len(name) > 1 && name[0] == 'v' && strings.Trim(name[1:], "0123456789") == "" {
			name = path.Base(path.Dir(p))
		}
		name = strings.TrimPrefix(name, "go-")
		if given := f.ast.Imports[i].Name; given != nil {
			name = given.Name
		}
		out[name] = p
	}
	return out
}

// selector returns the import path and the name when e is a name of another
// package, like os.Exit.
func selector(e ast.Expr, names map[string]string) (importPath, name string, ok bool) {
	sel, isSel := e.(*ast.SelectorExpr)
	if !isSel {
		return "", "", false
	}
	x, isIdent := sel.X.(*ast.Ident)
	if !isIdent {
		return "", "", false
	}
	p, known := names[x.Name]
	return p, sel.Sel.Name, known
}

// within reports whether p is the path of pattern, or below it when the
// pattern ends in "/...".
func within(p, pattern string) bool {
	if parent, ok := strings.CutSuffix(pattern, "/..."); ok {
		return p == parent || strings.HasPrefix(p, parent+"/")
	}
	return p == pattern
}

// report fails t with every finding.
func report(t *testing.T, findings []string) {
	t.Helper()
	for _, f := range findings {
		t.Error(f)
	}
}

// expect holds that a rule finds what it should in a synthetic tree, no more
// and no less: one finding for each of want, which it contains.
func expect(t *testing.T, findings []string, want ...string) {
	t.Helper()
	if len(findings) != len(want) {
		t.Errorf("%d findings, want %d:\n%s", len(findings), len(want), strings.Join(findings, "\n"))
		return
	}
	for i := range want {
		if !strings.Contains(findings[i], want[i]) {
			t.Errorf("finding %q does not say %q", findings[i], want[i])
		}
	}
}
