package archtest

import (
	"fmt"
	"go/build"
	"maps"
	"slices"
	"strings"
	"testing"
)

// heavy is what no light package links, directly or through anything else: it
// would be initialised before the keeper is up. Package runtime/debug does
// nothing, but packages are initialised in the order of their paths as far as
// their imports allow: who waits for one with an "r" waits for most of grpc.
func heavy() []string {
	return []string{"runtime/debug", "crypto/tls/...", "encoding/json/...", "html/...", "log/slog/...", "net/...", "text/template/...",
		"google.golang.org/...", "github.com/hashicorp/..."}
}

func TestLightPackagesLinkNothingHeavy(t *testing.T) {
	report(t, checkLight(shipped(t), rows(), standardImports(t)))
}

// standardImports returns a function that lists what a package of the standard
// library imports, from its source.
func standardImports(t *testing.T) func(string) []string {
	t.Helper()
	known := make(map[string][]string)
	return func(p string) []string {
		if imports, ok := known[p]; ok {
			return imports
		}
		b, err := build.Default.Import(p, "", 0)
		if err != nil {
			t.Fatalf("the standard library cannot be read: %v", err)
		}
		known[p] = b.Imports
		return b.Imports
	}
}

// checkLight walks everything that each light package links.
func checkLight(t *tree, rows []row, std func(string) []string) []string {
	var bad []string
	for _, p := range t.sorted() {
		if r, ok := rowOf(rows, p.path); ok && r.light {
			bad = append(bad, heavyLinks(t, p, std)...)
		}
	}
	return bad
}

// heavyLinks walks breadth first, so that what it names is a shortest way.
func heavyLinks(t *tree, p *pkg, std func(string) []string) []string {
	var bad []string
	way := map[string]string{module + "/" + p.path: p.path} // by import path
	for queue := slices.Collect(maps.Keys(way)); len(queue) > 0; queue = queue[1:] {
		for _, imp := range importsOf(t, queue[0], std) {
			if _, seen := way[imp]; seen {
				continue
			}
			way[imp] = way[queue[0]] + " → " + strings.TrimPrefix(imp, module+"/")
			if slices.ContainsFunc(heavy(), func(pattern string) bool { return within(imp, pattern) }) {
				bad = append(bad, fmt.Sprintf("%s must start light and links %s: %s", p.path, imp, way[imp]))
				continue
			}
			queue = append(queue, imp)
		}
	}
	return bad
}

func importsOf(t *tree, imp string, std func(string) []string) []string {
	if inside, ok := strings.CutPrefix(imp, module+"/"); ok {
		all := make(map[string]bool)
		if p := t.pkgs[inside]; p != nil {
			for _, f := range p.files {
				for _, i := range f.imports() {
					all[i] = true
				}
			}
		}
		return slices.Sorted(maps.Keys(all))
	}
	if standard(imp) && imp != "unsafe" {
		return std(imp)
	}
	return nil // of other modules only x/sys is allowed, which has no others
}

func TestLightCatches(t *testing.T) {
	const in = "github.com/hatchery-spawn/hatchery/"
	tr := source(t, map[string]string{
		"internal/keeper/a.go": "package keeper\nimport (\n\"fmt\"\n\"net/http\"\n\"" + in + "internal/lane\"\n)",
		"internal/lane/a.go":   "package lane\nimport (\n\"os\"\n\"expvarish\"\n)",
		"host/a.go":            "package host\nimport \"net\"",
	})
	std := func(p string) []string {
		if p == "expvarish" {
			return []string{"encoding/json", "unsafe"}
		}
		return nil
	}
	expect(t, checkLight(tr, rows(), std),
		"internal/keeper must start light and links net/http: internal/keeper → net/http",
		"internal/keeper must start light and links encoding/json: internal/keeper → internal/lane → expvarish → encoding/json",
		"internal/lane must start light and links encoding/json: internal/lane → expvarish → encoding/json",
	)
}
