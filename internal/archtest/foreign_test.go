package archtest

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// ours are the packages in whose exported names no type of another module, nor
// of a package that users cannot import, may appear: it would tie everybody's
// version to ours.
func ours() []string {
	return []string{"spawn", "registry", "host/...", "sdk/...", "backends/..."}
}

// foreignExceptions are those that exist to be the link to another module. Who
// does not want its types does not import them.
func foreignExceptions() []exception {
	return []exception{
		{"host/telemetry", "it takes OpenTelemetry's providers, whose API keeps its promises of compatibility"},
	}
}

func TestNoForeignTypeIsExported(t *testing.T) { report(t, checkForeign(shipped(t), ours())) }

func checkForeign(t *tree, ours []string) []string {
	var bad []string
	t.handwritten(func(p *pkg, f *file) {
		if !slices.ContainsFunc(ours, func(pattern string) bool { return within(p.path, pattern) }) {
			return
		}
		if slices.ContainsFunc(foreignExceptions(), func(e exception) bool { return e.where == p.path }) {
			return
		}
		names := f.names()
		exportedTypes(f, func(name string, e ast.Expr) {
			for _, use := range foreign(e, names) {
				bad = append(bad, fmt.Sprintf("%s: exported %s.%s shows %s", t.at(e), p.path, name, use))
			}
		})
	})
	return bad
}

// exportedTypes calls f with every type expression that a user of the package
// can see, and the name it belongs to.
func exportedTypes(fl *file, f func(name string, e ast.Expr)) {
	for _, d := range fl.ast.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if name, exported := exportedFunc(d); exported {
				f(name, d.Type)
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					if s.Name.IsExported() {
						f(s.Name.Name, s.Type)
					}
				case *ast.ValueSpec:
					if s.Type != nil && slices.ContainsFunc(s.Names, (*ast.Ident).IsExported) {
						f(s.Names[0].Name, s.Type)
					}
				}
			}
		}
	}
}

// foreign returns the types of other modules and of internal packages in e,
// but for those of fields and methods that are not exported.
func foreign(e ast.Expr, names map[string]string) []string {
	var out []string
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.StructType:
			n.Fields.List = slices.DeleteFunc(slices.Clone(n.Fields.List), private)
		case *ast.InterfaceType:
			n.Methods.List = slices.DeleteFunc(slices.Clone(n.Methods.List), private)
		case ast.Expr:
			imp, name, ok := selector(n, names)
			if ok && !standard(imp) && (!strings.HasPrefix(imp, module+"/") || strings.HasPrefix(imp, module+"/internal/")) {
				out = append(out, imp+"."+name)
			}
		}
		return true
	})
	return out
}

// private reports whether a field or method has a name, and none that is
// exported. What is embedded has none, and shows.
func private(field *ast.Field) bool {
	return len(field.Names) > 0 && !slices.ContainsFunc(field.Names, (*ast.Ident).IsExported)
}

func TestForeignCatches(t *testing.T) {
	tr := source(t, map[string]string{
		"sdk/a.go": `package sdk
import (
	"context"
	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	pb "github.com/hatchery-spawn/hatchery/internal/wire/spawnv1"
	"github.com/hatchery-spawn/hatchery/spawn"
	"google.golang.org/grpc"
)
func Main(ctx context.Context, s *spawn.Spec) (*pb.Plan, error) { var c *grpc.ClientConn; return nil, nil }
type Config struct {
	Logger hclog.Logger
	client *plugin.Client
	Opts   []grpc.DialOption
	plugin.Plugin
}
type Backend interface {
	Plan(pb.Spec)
	private(pb.Spec)
}
type hidden struct { Conn *grpc.ClientConn }
func (hidden) Serve(*grpc.Server) {}
func (Config) Serve(map[string]chan<- *grpc.Server) {}
func private(*grpc.Server) {}
var Default grpc.CallOption
`,
		"internal/wire/a.go": "package wire\nimport \"google.golang.org/grpc\"\nfunc F(*grpc.Server) {}",
	})
	const wire = "github.com/hatchery-spawn/hatchery/internal/wire/spawnv1"
	expect(t, checkForeign(tr, ours()),
		"exported sdk.Main shows "+wire+".Plan",
		"exported sdk.Config shows github.com/hashicorp/go-hclog.Logger",
		"exported sdk.Config shows google.golang.org/grpc.DialOption",
		"exported sdk.Config shows github.com/hashicorp/go-plugin.Plugin",
		"exported sdk.Backend shows "+wire+".Spec",
		"exported sdk.Config.Serve shows google.golang.org/grpc.Server",
		"exported sdk.Default shows google.golang.org/grpc.CallOption",
	)
}
