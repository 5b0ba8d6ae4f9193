//go:build linux

package escapesuite

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// TestDocumentedAttempts: every row of the table of layers names attempts, which
// exist, and every attempt is named somewhere.
func TestDocumentedAttempts(t *testing.T) {
	text, err := os.ReadFile("../../docs/isolate.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(text)
	_, table, ok := strings.Cut(doc, "| layer | what it stops | attempts |\n|---|---|---|\n")
	if !ok {
		t.Fatal("there is no table of layers")
	}
	var known []string
	for _, a := range attempts() {
		if slices.Contains(known, a.name) {
			t.Errorf("two attempts are called %s", a.name)
		}
		known = append(known, a.name)
		if !strings.Contains(doc, "`"+a.name+"`") {
			t.Errorf("docs/isolate.md does not name the attempt %s", a.name)
		}
	}
	rows := 0
	for line := range strings.Lines(table) {
		if !strings.HasPrefix(line, "|") {
			break
		}
		rows++
		cells := strings.Split(line, "|")
		names := strings.FieldsFunc(cells[len(cells)-2], func(r rune) bool { return r == '`' || r == ' ' || r == ';' })
		if len(names) == 0 {
			t.Errorf("the layer%shas no attempt", cells[1])
		}
		for _, name := range names {
			if !slices.Contains(known, name) {
				t.Errorf("the layer%snames %q, which is no attempt", cells[1], name)
			}
		}
	}
	if rows < 12 {
		t.Errorf("the table has %d rows", rows)
	}
}
