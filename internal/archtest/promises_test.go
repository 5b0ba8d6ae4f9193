package archtest

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

// promises is the page that says which test holds which promise.
const promises = "docs/testing.md"

func TestPromisesAreHeldByTests(t *testing.T) {
	report(t, checkPromises(os.DirFS("../..")))
}

// testName is how the page names a test: by the folder of its package.
var testName = regexp.MustCompile("`([a-z][a-z/_]*)\\.(Test[A-Za-z0-9]+)`")

// checkPromises holds that every row of the page names tests, all of which exist.
func checkPromises(root fs.FS) (bad []string) {
	page, err := fs.ReadFile(root, promises)
	if err != nil {
		return []string{err.Error()}
	}
	sources := map[string]string{} // of the tests of a package
	number := 0
	for line := range strings.Lines(string(page)) {
		number++
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| promise |") {
			continue
		}
		names := testName.FindAllStringSubmatch(line, -1)
		if len(names) == 0 {
			bad = append(bad, fmt.Sprintf("%s:%d: no test holds this", promises, number))
		}
		for _, n := range names {
			if _, ok := sources[n[1]]; !ok {
				sources[n[1]] = testSources(root, n[1])
			}
			if !strings.Contains(sources[n[1]], "\nfunc "+n[2]+"(t *testing.T)") {
				bad = append(bad, fmt.Sprintf("%s:%d: there is no %s in %s", promises, number, n[2], n[1]))
			}
		}
	}
	if len(sources) == 0 {
		bad = append(bad, promises+" names no tests")
	}
	return bad
}

// testSources returns the text of all test files in a folder.
func testSources(root fs.FS, dir string) string {
	var all strings.Builder
	files, _ := fs.Glob(root, path.Join(dir, "*_test.go"))
	for _, f := range files {
		text, _ := fs.ReadFile(root, f)
		all.Write(text)
	}
	return all.String()
}

func TestPromisesCatches(t *testing.T) {
	page := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	expect(t, checkPromises(fstest.MapFS{
		promises:               page("# x\n\n| promise | held by |\n|---|---|\n| good | `host/share.TestA` |\n| gone | `host.TestA` `host/share.TestB` |\n| none | TestA |\n"),
		"host/share/a_test.go": page("package share\n\nfunc TestA(t *testing.T) {}\n"),
		"host/share/b.go":      page("package share\n\nfunc TestB(t *testing.T) {}\n"),
	}), "docs/testing.md:6: there is no TestA in host", "docs/testing.md:6: there is no TestB in host/share", "docs/testing.md:7: no test holds this")
	expect(t, checkPromises(fstest.MapFS{promises: page("# x\n")}), "names no tests")
}
