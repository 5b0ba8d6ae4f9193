package smoketest

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// pages is where the analyses stand.
const pages = "docs/analysis"

// maxLines is what can be read at once.
const maxLines = 80

// headings are those of every page, in this order.
func headings() []string {
	return []string{"Summary", "Symptom", "Mechanism", "Ruled out", "What would unblock it", "Alternative", "Upstream"}
}

func TestAnalyses(t *testing.T) {
	if len(All()) == 0 {
		t.Skip("there are no scenarios on this system")
	}
	for _, bad := range checkAnalyses(os.DirFS("../.."), All()) {
		t.Error(bad)
	}
}

var (
	row      = regexp.MustCompile(`(?m)^\| (status|last tested|scenarios|held by) \| (.*) \|$`)
	quoted   = regexp.MustCompile("`([^`]+)`")
	date     = regexp.MustCompile(`^20\d\d-\d\d-\d\d: .*Go 1\.\d+`)
	testName = regexp.MustCompile(`^([a-z][a-z/_]*)\.(Test[A-Za-z0-9]+)$`)
)

// checkAnalyses holds that every scenario has its page and every page its scenarios,
// that the pages have one form, and that the tests exist which keep the hangs away.
func checkAnalyses(root fs.FS, all []Scenario) (bad []string) {
	of := map[string][]string{} // scenarios by page
	for _, s := range all {
		of[s.Analysis] = append(of[s.Analysis], s.Name)
	}
	files, _ := fs.Glob(root, pages+"/*.md")
	for _, file := range files {
		text, _ := fs.ReadFile(root, file)
		name := strings.TrimSuffix(path.Base(file), ".md")
		for _, b := range checkPage(root, name, string(text), of[name]) {
			bad = append(bad, file+": "+b)
		}
		delete(of, name)
	}
	for page, names := range of {
		bad = append(bad, fmt.Sprintf("there is no page %s/%s.md for %q", pages, page, names))
	}
	return bad
}

func checkPage(root fs.FS, name, text string, scenarios []string) (bad []string) {
	say := func(format string, args ...any) { bad = append(bad, fmt.Sprintf(format, args...)) }
	if !strings.HasPrefix(text, "# "+name+": ") {
		say("want the heading %q", "# "+name+": …")
	}
	if n := strings.Count(text, "\n"); n > maxLines {
		say("%d lines: at most %d", n, maxLines)
	}
	var found []string
	for line := range strings.Lines(text) {
		if h, ok := strings.CutPrefix(strings.TrimSpace(line), "## "); ok {
			found = append(found, h)
		}
	}
	if !slices.Equal(found, headings()) {
		say("has the parts %q: want %q", found, headings())
	}
	rows := map[string]string{}
	for _, m := range row.FindAllStringSubmatch(text, -1) {
		rows[m[1]] = m[2]
	}
	if !date.MatchString(rows["last tested"]) {
		say("last tested %q: want a date and a version of Go", rows["last tested"])
	}
	named := inQuotes(rows["scenarios"])
	slices.Sort(named)
	slices.Sort(scenarios)
	if len(scenarios) == 0 || !slices.Equal(named, scenarios) {
		say("names the scenarios %q, and those that name it are %q", named, scenarios)
	}
	tests := inQuotes(rows["held by"])
	if strings.Contains(rows["status"], "kept away") != (len(tests) > 0) {
		say("status %q, held by %q: what is kept away is held by tests", rows["status"], tests)
	}
	for _, test := range tests {
		if m := testName.FindStringSubmatch(test); m == nil || !hasTest(root, m[1], m[2]) {
			say("there is no test %s", test)
		}
	}
	return bad
}

func inQuotes(s string) (all []string) {
	for _, m := range quoted.FindAllStringSubmatch(s, -1) {
		all = append(all, m[1])
	}
	return all
}

// hasTest reports whether a package has a test.
func hasTest(root fs.FS, folder, test string) bool {
	files, _ := fs.Glob(root, folder+"/*_test.go")
	return slices.ContainsFunc(files, func(f string) bool {
		text, _ := fs.ReadFile(root, f)
		return strings.Contains(string(text), "\nfunc "+test+"(t *testing.T)")
	})
}

func TestAnalysesCatches(t *testing.T) {
	good := "# x: y\n\n| | |\n|---|---|\n| status | hang, kept away |\n| last tested | 2026-11-23: Go 1.26.8 |\n| scenarios | `b` `a` |\n| held by | `host/x.TestX` |\n\n## " +
		strings.Join(headings(), "\n\n## ") + "\n"
	all := []Scenario{{Name: "a", Analysis: "x"}, {Name: "b", Analysis: "x"}}
	check := func(page string, all []Scenario) string {
		return strings.Join(checkAnalyses(fstest.MapFS{
			pages + "/x.md":    {Data: []byte(page)},
			"host/x/x_test.go": {Data: []byte("package x\n\nfunc TestX(t *testing.T) {}\n")},
		}, all), "\n")
	}
	if bad := check(good, all); bad != "" {
		t.Error(bad)
	}
	for _, tt := range []struct{ old, new, want string }{
		{"# x:", "# y:", "want the heading"},
		{"## Ruled out\n\n", "", "has the parts"},
		{"2026-11-23: Go 1.26.8", "lately", "last tested"},
		{"`b` `a`", "`a`", "names the scenarios"},
		{"`b` `a`", "`a` `b` `c`", "names the scenarios"},
		{"TestX`", "TestY`", "there is no test host/x.TestY"},
		{"hang, kept away", "blocked", "held by"},
		{"| held by | `host/x.TestX` |\n", "", "held by"},
		{"## Upstream\n", "## Upstream\n" + strings.Repeat("\n", maxLines), "at most"},
	} {
		if bad := check(strings.Replace(good, tt.old, tt.new, 1), all); !strings.Contains(bad, tt.want) {
			t.Errorf("%q instead of %q: %q, want %q", tt.new, tt.old, bad, tt.want)
		}
	}
	if bad := check(good, append(all, Scenario{Name: "c", Analysis: "z"})); !strings.Contains(bad, "no page") {
		t.Errorf("a scenario without a page: %q", bad)
	}
	if bad := check(good, nil); !strings.Contains(bad, "names the scenarios") {
		t.Errorf("a page without a scenario: %q", bad)
	}
}
