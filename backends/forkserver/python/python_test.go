package python_test

import (
	"strings"
	"testing"

	"github.com/hatchery-spawn/hatchery/backends/forkserver/python"
	"github.com/hatchery-spawn/hatchery/spawn"
)

func TestRecognize(t *testing.T) {
	for _, tt := range []struct {
		command string // words
		env     string
		boot    string // the template's options; "cold" with a reason, "no" for another program
	}{
		{"python3 script.py -u", "", ""},
		{"python script.py", "", ""},
		{"/opt/v/bin/python3.13 -m mod -I", "", ""},
		{"python3 -uB -W error -Xdev script.py -O", "", "-u -B -W error -X dev"},
		{"python3 -Ic pass", "", "-I"},
		{"python3 -cpass -x", "", ""},
		{"python3 -OO -", "", "-O -O"},
		{"python3", "", ""},
		{"python3 -- -x", "", ""},
		{"python3 --check-hash-based-pycs never x.py", "", "--check-hash-based-pycs never"},
		{"python3 x.py", "PYTHONPATH=/a:/b HOME=/h", ""},
		{"python3 x.py", "PYTHONPATH=/a:b", ""},
		{"python3 x.py", "PYTHONINSPECT=1", "cold"},
		{"python3 x.py", "PYTHONINSPECT=", ""},
		{"python3 -i x.py", "", "cold"},
		{"python3 -uV", "", "cold"},
		{"python3 --version", "", "cold"},
		{"python3 -X importtime x.py", "", "cold"},
		{"python3 -c", "", "cold"},
		{"python3 -W", "", "cold"},
		{"bin/python3 x.py", "", "cold"},
		{"python3.8 x.py", "", "cold"},
		{"python2 x.py", "", "no"},
		{"python3-config x.py", "", "no"},
		{"bash python3", "", "no"},
	} {
		t.Run(tt.command+" "+tt.env, func(t *testing.T) {
			words := strings.Fields(tt.command)
			// A path that nothing stands at: what this machine calls python3
			// may be anything.
			path, here := words[0], strings.HasSuffix(tt.env, ":b")
			if !strings.Contains(path, "/") {
				path = "/nonexistent/" + path
			}
			b, why := python.Recognize(&spawn.Spec{Path: path, Args: words, Env: strings.Fields(tt.env + " ")}, []string{"json", "os.path"}, new(spawn.Basis))
			got := "cold"
			switch {
			case why == "" && b.Args == nil:
				got = "no"
			case why == "":
				got = strings.Join(b.Args[1:], " ")
				got, _, _ = strings.Cut(got, "-c exec(")
				got = strings.TrimSpace(got)
				if b.Args[0] != words[0] || !strings.HasSuffix(strings.Join(b.Args, " "), ") json os.path") {
					t.Errorf("boot %q", b.Args)
				}
				if b.Here != here {
					t.Errorf("started in the child's directory: %v, want %v", b.Here, here)
				}
			}
			if got != tt.boot {
				t.Errorf("got %q, %q; want %q", got, why, tt.boot)
			}
		})
	}
}

func TestRecognizeRefusesOddModules(t *testing.T) {
	for _, name := range []string{"", "-i", "a b", "./x"} {
		if _, why := python.Recognize(&spawn.Spec{Path: "/x/python3", Env: []string{}}, []string{name}, new(spawn.Basis)); !strings.Contains(why, "module") {
			t.Errorf("preload %q: %q", name, why)
		}
	}
}
