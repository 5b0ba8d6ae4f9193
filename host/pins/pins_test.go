package pins_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hatchery-spawn/hatchery/host/pins"
	"github.com/hatchery-spawn/hatchery/registry"
)

// sum is a checksum that ends in the given digits.
func sum(end string) string { return "sha256:" + strings.Repeat("0", 64-len(end)) + end }

func parse(t *testing.T, text string) *pins.Lock {
	t.Helper()
	l, err := pins.Parse("f", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestParse(t *testing.T) {
	l := parse(t, "# top\n\nb any "+sum("b")+"\r\na  status\tblocked\na summary  one  two \n\n"+
		"a linux/amd64 "+sum("1")+"\na linux/amd64 "+sum("1")+"\na reason because\n")
	want := []pins.Fact{
		{Key: "a", Name: "linux/amd64", Value: sum("1"), Line: 7},
		{Key: "a", Name: pins.Status, Value: "blocked", Line: 4},
		{Key: "a", Name: pins.Summary, Value: "one  two", Line: 5},
		{Key: "a", Name: pins.Reason, Value: "because", Line: 9},
		{Key: "b", Name: pins.Any, Value: sum("b"), Line: 3},
	}
	if d := cmp.Diff(want, l.Facts()); d != "" {
		t.Error("(-want +got)\n", d)
	}
	if d := cmp.Diff([]registry.SpawnMethodKey{"a", "b"}, l.Keys()); d != "" {
		t.Error("(-want +got)\n", d)
	}
}

func TestPinOfThePlatformBeforeAny(t *testing.T) {
	l := parse(t, "a any "+sum("1")+"\na linux/arm64 "+sum("2")+"\nb linux/arm64 "+sum("3")+"\n")
	for _, c := range []struct {
		key      registry.SpawnMethodKey
		platform string
		line     int // 0: no pin
	}{{"a", "linux/arm64", 2}, {"a", "linux/amd64", 1}, {"b", "linux/arm64", 3}, {"b", "linux/amd64", 0}, {"c", "linux/arm64", 0}} {
		if f, ok := l.Pin(c.key, c.platform); f.Line != c.line || ok != (c.line > 0) {
			t.Errorf("%s for %s: line %d, %v; want %d", c.key, c.platform, f.Line, ok, c.line)
		}
	}
	if got := l.Pins("a"); len(got) != 2 || got[0].Name != pins.Any {
		t.Errorf("pins of a: %v", got)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct {
		name, text string
		line       int
		want       string
	}{
		{"a key that is none", "# c\nUpper status stable\n", 2, "does not start with a lower case letter"},
		{"a key alone", "a\n", 1, `"" says nothing that is known about a: want a platform like linux/amd64, any or status, summary`},
		{"an unknown fact", "a sumary x\n", 1, `"sumary" says nothing that is known`},
		{"half a platform", "a linux/ " + sum("1") + "\n", 1, `"linux/" says nothing`},
		{"a sum that is none", "\na linux/amd64 sha256:12\n", 2, "has 2 digits: want sha256: and 64"},
		{"a sum with a tail", "a any " + sum("1") + " x\n", 1, "digits"},
		{"a status that is none", "a status good\n", 1, `status "good": want stable, experimental or blocked`},
		{"an empty text", "a summary\n", 1, "a summary says nothing: want a text"},
		{"two values", "a any " + sum("1") + "\n\na any " + sum("2") + "\n", 3, "a any stands in line 1 already, with another value: keep one"},
		{"ours", "a status stable\n<<<<<<< HEAD\n", 2, "a merge conflict (<<<<<<<): keep the lines"},
		{"base", "||||||| 1234\n", 1, "a merge conflict"},
		{"between", "=======\n", 1, "a merge conflict"},
		{"theirs", ">>>>>>> branch\n", 1, "a merge conflict"},
		{"no text", "a summary \xff\n", 1, "not UTF-8"},
		{"no text in a comment", "# \x1b[2J\n", 1, "U+001B, which does not print"},
		{"NUL", "a summary x\x00\n", 1, "U+0000"},
	} {
		l, err := pins.Parse("dir/f", []byte(c.text))
		var se *pins.SyntaxError
		if l != nil || !errors.As(err, &se) {
			t.Errorf("%s: %v, %v: want a syntax error", c.name, l, err)
			continue
		}
		if se.Line != c.line || se.File != "dir/f" || !strings.Contains(se.Msg, c.want) || !strings.HasPrefix(err.Error(), "dir/f:") {
			t.Errorf("%s: %q in line %d; want %q in line %d", c.name, err, se.Line, c.want, c.line)
		}
	}
}

func TestBytesKeepComments(t *testing.T) {
	l := parse(t, `# The header,
# two lines.

# about the status of b
b status stable
# about the pin of a
a any `+sum("1")+`
# gone with its fact
a reason none

# the end
`)
	for _, set := range [][2]string{{pins.Summary, " two\nlines"}, {pins.Reason, ""}, {pins.Any, sum("2")}} {
		if err := l.Set("a", set[0], set[1]); err != nil {
			t.Fatal(err)
		}
	}
	want := `# The header,
# two lines.

# about the pin of a
a any ` + sum("2") + `
a summary two
# about the status of b
b status stable
# the end
`
	if d := cmp.Diff(want, string(l.Bytes())); d != "" {
		t.Error("(-want +got)\n", d)
	}
	l.Drop("a")
	if got := l.Keys(); len(got) != 1 || got[0] != "b" {
		t.Errorf("after Drop: %v", got)
	}
}

func TestSetRefuses(t *testing.T) {
	l := new(pins.Lock)
	for _, c := range [][3]string{{"a", "linux/amd64", "sha256:1"}, {"A", pins.Status, "stable"}, {"a", pins.Status, "good"}, {"a", "other", "x"}} {
		if err := l.Set(registry.SpawnMethodKey(c[0]), c[1], c[2]); err == nil {
			t.Errorf("%q is taken", c)
		}
	}
	if b := l.Bytes(); len(b) > 0 {
		t.Errorf("the file is %q", b)
	}
}

// FuzzParse holds that what is understood is written so that it is understood
// again, as the same.
func FuzzParse(f *testing.F) {
	f.Add("# c\n\na any " + sum("1") + "\na summary x y\n# e\n")
	f.Add("<<<<<<< x\n")
	f.Add("a summary # no comment\n#\n\n\n#x\nb status stable\n")
	f.Add("\v# x\na reason\u00a0x")
	f.Fuzz(func(t *testing.T, text string) {
		l, err := pins.Parse("f", []byte(text))
		if err != nil {
			return
		}
		again, err := pins.Parse("f", l.Bytes())
		if err != nil {
			t.Fatalf("%q: %v", l.Bytes(), err)
		}
		strip := func(fs []pins.Fact) (out []string) {
			for _, f := range fs {
				out = append(out, f.String())
			}
			return out
		}
		if d := cmp.Diff(strip(l.Facts()), strip(again.Facts())); d != "" {
			t.Error("(-first +second)\n", d)
		}
		if d := cmp.Diff(string(l.Bytes()), string(again.Bytes())); d != "" {
			t.Error("(-first +second)\n", d)
		}
	})
}
