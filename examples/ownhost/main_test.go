package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/sdk/backendtest"
)

func TestMain(m *testing.M) {
	host.Init(methods()...)
	os.Exit(m.Run())
}

func TestRun(t *testing.T) {
	for _, c := range []struct {
		args           string
		code           int
		stdout, stderr string // regular expressions
	}{
		{"-by quiet -level info nice", 0, `^19\n$`, `level=INFO msg=ended method=quiet code=0`},
		{"-level debug sh -c", 2, ``, `level=DEBUG msg=plugin method=forkexec state=`},
		{"sh -ec exit+3", 3, `^$`, `^$`},
		{"-by quite true", 2, `^$`, `did you mean quiet\?`},
		{"-help", 0, `^$`, `how children are started: forkexec \(default\), .*go_fork \(blocked\), .*, quiet`},
		{"-by go_fork true", 125, `^$`, `^ownhost: go_fork: `},
		{"./no-such-program", 125, `^$`, `^ownhost: .*no-such-program: no such file`},
		{"", 2, `^$`, `no program given`},
	} {
		args := strings.Fields(c.args)
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], "+", " ")
		}
		var stdout, stderr strings.Builder
		code := run(t.Context(), args, &stdout, &stderr)
		if code != c.code || !regexp.MustCompile(c.stdout).MatchString(stdout.String()) || !regexp.MustCompile(c.stderr).MatchString(stderr.String()) {
			t.Errorf("ownhost %s: code %d, %q, %q; want %d, %q, %q", c.args, code, &stdout, &stderr, c.code, c.stdout, c.stderr)
		}
	}
}

// The method passes the conformance kit. These are some of the cases, which take no
// time; all of them are backendtest.Run, which the method passes but for "inherited":
// its children do not have the host's priority.
func TestQuiet(t *testing.T) {
	s := backendtest.InProcess(quiet{})
	cases, err := s.Cases(t.Context(), backendtest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		if !slices.Contains([]string{"description", "unknown-option", "plan-repeats", "exit-codes", "descriptors-exact"}, c.Name) {
			continue
		}
		if r := s.Check(t.Context(), c, backendtest.Options{}); r.Outcome != backendtest.Passed {
			t.Errorf("%v", r)
		}
	}
}
