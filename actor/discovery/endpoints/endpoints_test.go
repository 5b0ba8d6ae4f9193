package endpoints_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hatchery-spawn/hatchery/actor/discovery/address"
	"github.com/hatchery-spawn/hatchery/actor/discovery/endpoints"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// got is a table as the tests write it.
type got struct {
	Name  string
	Addrs []string
	Line  int
}

func table(t *endpoints.Table) []got {
	var all []got
	for _, a := range t.Actors {
		all = append(all, got{a.Name, address.Strings(a.Addrs), a.Line})
	}
	return all
}

func TestATableIsInTheOrderOfItsFile(t *testing.T) {
	parsed, err := endpoints.Parse([]byte(`# services
title = "of somebody else"

[network]
zebra = ["/unix/run/z.sock", "/ip4/10.0.0.7/tcp/01616"]
"log ger" = [ # a comment
  ["127.0.0.1", 1616],
  "/ip6/::1/tcp/80", # and another

  ['::ffff:10.0.0.7', 0x50],
]
none = []
alpha = ["/unix//a"]

[service.zebra]
command = "x"
network = "mine"
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []got{
		{"zebra", []string{"/unix/run/z.sock", "/ip4/10.0.0.7/tcp/1616"}, 5},
		{"log ger", []string{"/ip4/127.0.0.1/tcp/1616", "/ip6/::1/tcp/80", "/ip4/10.0.0.7/tcp/80"}, 6},
		{"none", []string{}, 12},
		{"alpha", []string{"/unix/a"}, 13},
	}
	if diff := cmp.Diff(want, table(parsed)); diff != "" {
		t.Error(diff)
	}
	if a, ok := parsed.Lookup("alpha"); !ok || a.Addrs[0].String() != "/unix/a" {
		t.Errorf("alpha is %v, %v", a, ok)
	}
	if a, ok := parsed.Lookup("beta"); ok {
		t.Errorf("beta is %v", a)
	}
	if empty, err := endpoints.Parse([]byte("[network]\n")); err != nil || len(empty.Actors) != 0 {
		t.Errorf("an empty table: %v, %v", empty, err)
	}
}

func TestABadTable(t *testing.T) {
	const good = "[network]\ngood = [\"/unix/x\"]\n"
	for text, want := range map[string][]string{
		good + "bad = [\"/unix/x\", \"/ip4/1.2.3.4/udp/5\"]":         {"line 3", `actor "bad"`, "entry 2", "/ip4/1.2.3.4/udp/5", "udp", "/unix/PATH"},
		good + "bad = [\n\"/unix/x\",\n# c\n\n\"/ip4/1.2.3.4\"]":     {"line 7", `actor "bad"`, "entry 2", "without a port"},
		good + "bad = [[\"127.0.0.1\", 99999]]":                      {"line 3", `actor "bad"`, "entry 1", "99999", "127.0.0.1", "PORT"},
		good + "bad = [[\"example.org\", 80]]":                       {"line 3", `actor "bad"`, "entry 1", "example.org", "not looked up"},
		good + "bad = [[\"127.0.0.1\", \"80\"]]":                     {"line 3", `actor "bad"`, "entry 1", `["ADDRESS", PORT]`},
		good + "bad = [[\"127.0.0.1\"]]":                             {"line 3", `actor "bad"`, "entry 1", "a list of 1"},
		good + "bad = [[]]":                                          {"line 3", `actor "bad"`, "entry 1", "a list of 0"},
		good + "bad = [[\"127.0.0.1\", 99999999999999999999]]":       {"line 3"},
		good + "bad = [7]":                                           {"line 3", `actor "bad"`, "entry 1", `"7"`, "a multiaddr in quotes"},
		good + "bad = [{host = \"x\"}]":                              {"line 3", `actor "bad"`, "entry 1", "inlinetable"},
		good + "bad = [\"\"]":                                        {"line 3", `actor "bad"`, "entry 1", "empty"},
		good + "bad = [\"/ip4/0.0.0.0/tcp/80\"]":                     {"line 3", `actor "bad"`, "entry 1", "0.0.0.0", "listening"},
		good + "bad = [\"/ip4/1.2.3.4/tcp/0\"]":                      {"line 3", `actor "bad"`, "entry 1", "port 0"},
		good + "bad = \"/unix/x\"":                                   {"line 3", `actor "bad"`, `"/unix/x"`, "a list of addresses"},
		good + "bad = true":                                          {"line 3", `actor "bad"`, "a list of addresses"},
		good + "bad.worse = [\"/unix/x\"]":                           {"line 3", `actor "bad.worse"`, "in quotes"},
		good + "\"\" = [\"/unix/x\"]":                                {"line 3", "name is empty"},
		good + "good = []":                                           {"line 3", "good"},
		good + "bad = [\"/unix/x\"":                                  {"line 3"},
		good + "[network.bad]\naddrs = []":                           {"line 3", "[network.bad]", "want [network]"},
		"[[network]]\n":                                              {"line 1", "network", "want [network]"},
		"network = 3\n":                                              {"line 1", "network", "want [network]"},
		"network = {a = []}\n":                                       {"line 1", "network", "want [network]"},
		"a = 1\nnetwork.a = []\n":                                    {"line 2", "network", "want [network]"},
		"":                                                           {"line 1", "no table [network]", "/ip4/127.0.0.1/tcp/1616"},
		"[netwrok]\na = []":                                          {"line 1", "no table [network]"},
		"\xff":                                                       {"line 1"},
		good + "bad = [\"/unix/x\"]\nx = " + strings.Repeat("[", 99): {"line 4"},
	} {
		parsed, err := endpoints.Parse([]byte(text))
		if err == nil || parsed != nil {
			t.Errorf("%q: %v, %v", text, parsed, err)
			continue
		}
		for _, part := range want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q: %v: does not say %q", text, err, part)
			}
		}
	}
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if parsed, err := endpoints.ReadFile(write("good", "[network]\na = []\n")); err != nil || len(parsed.Actors) != 1 {
		t.Errorf("%v, %v", parsed, err)
	}
	bad := write("bad", "[network]\na = [1]\n")
	_, err := endpoints.ReadFile(bad)
	var e *spawn.Error
	if !errors.As(err, &e) || e.Path != bad || !errors.Is(err, syscall.EINVAL) || !strings.Contains(err.Error(), bad+": line 2: actor \"a\": entry 1: ") {
		t.Errorf("%v", err)
	}
	if _, err := endpoints.ReadFile(filepath.Join(dir, "missing")); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "missing") {
		t.Errorf("%v", err)
	}
	if _, err := endpoints.ReadFile(write("large", strings.Repeat("#\n", 1<<20))); !errors.Is(err, syscall.EFBIG) {
		t.Errorf("%v", err)
	}
	if _, err := endpoints.ReadFile(dir); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("a folder: %v", err)
	}
}

// TestLargeTables takes a fraction of a second for each: the time must not grow with
// the square of the size.
func TestLargeTables(t *testing.T) {
	var actors strings.Builder
	actors.WriteString("[network]\n")
	for i := range 10_000 {
		fmt.Fprintf(&actors, "a%d = [\"/unix/x%d\"]\n", i, i)
	}
	for text, last := range map[string]int{actors.String(): 10_001, "[network]\na = [" + strings.Repeat("\"/unix/x\",\n", 90_000) + "]\nb = []": 90_003} {
		begin := time.Now()
		parsed, err := endpoints.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got := parsed.Actors[len(parsed.Actors)-1].Line; got != last {
			t.Errorf("the last actor is in line %d, want %d", got, last)
		}
		if took := time.Since(begin); took > 10*time.Second {
			t.Errorf("it took %v", took)
		}
	}
	if _, err := endpoints.Parse([]byte("[network]\na = " + strings.Repeat("[", 500_000))); err == nil {
		t.Error("a table without end is taken")
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"[network]\na = [\"/unix/x\", [\"127.0.0.1\", 80]]\n\"b c\" = []\n", "[network]\na=[[]]", "[network.a]", "[[network]]", "network.a=[]", "network={a=[]}",
		"x=1\n[network]\r\na=['''/unix/\nx''']\n[y]\nz=1979-05-27", "[network]\na = [\n#c\n1_0,\n]",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		parsed, err := endpoints.Parse(text)
		if (err == nil) != (parsed != nil) {
			t.Fatalf("%v, %v", parsed, err)
		}
		if err != nil {
			if !strings.HasPrefix(err.Error(), "line ") {
				t.Fatalf("an error without a line: %v", err)
			}
			return
		}
		names, last := map[string]bool{}, 0
		for _, a := range parsed.Actors {
			if names[a.Name] || a.Line < last || a.Name == "" {
				t.Fatalf("%q at line %d, behind %d, twice: %v", a.Name, a.Line, last, names[a.Name])
			}
			names[a.Name], last = true, a.Line
			for _, addr := range a.Addrs {
				if err := addr.Reachable(); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}
