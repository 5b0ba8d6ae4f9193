package spawn

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func ptr[T any](v T) *T { return &v }

func TestValidate(t *testing.T) {
	three := make([]*os.File, 3)
	tests := []struct {
		name string
		spec Spec
		want string // empty: valid
	}{
		{"path alone", Spec{Path: "true"}, ""},
		{"everything", Spec{
			Path: "/bin/true", Args: []string{"", "\xff", "a=b\n"}, Env: []string{"", "=", "NOEQUALS"}, Dir: ".",
			Files: make([]*os.File, MaxFiles), Session: true, Terminal: ptr(239), Credential: &Credential{},
			Umask: ptr(uint32(0)), Limits: []Limit{{}}, Ignore: []syscall.Signal{1, 64}, NoNewPrivs: true,
			Options: []Option{{"k", ""}},
		}, ""},
		{"in the foreground", Spec{Path: "p", Group: NewGroup, Files: make([]*os.File, 3), Foreground: ptr(2)}, ""},
		{"a group of its own", Spec{Path: "p", Group: NewGroup}, ""},
		{"an existing group", Spec{Path: "p", Group: 4711}, ""},

		{"zero", Spec{}, "resolve: no program given: invalid argument"},
		{"NUL in the program", Spec{Path: "a\x00b"}, `resolve: "a\x00b": the program has a NUL byte at offset 1: invalid argument`},
		{"NUL in the directory", Spec{Path: "p", Dir: "/d\x00"}, `resolve: "/d\x00": the directory has a NUL byte at offset 2: invalid argument`},
		{"NUL in an argument", Spec{Path: "p", Args: []string{"p", "\x00"}}, "resolve: p: argument 1 has a NUL byte at offset 0: invalid argument"},
		{"NUL in the environment", Spec{Path: "p", Env: []string{"A=b", "PASSWORD=hunter2\x00"}}, "resolve: p: environment entry 1 has a NUL byte at offset 16: invalid argument"},
		{"too many descriptors", Spec{Path: "p", Files: make([]*os.File, MaxFiles+1)}, "resolve: p: 241 descriptors: at most 240 can be passed: invalid argument"},
		{"strange group", Spec{Path: "p", Group: -2}, "resolve: p: process group -2: want HostGroup, NewGroup or the id of a group: invalid argument"},
		{"session and group", Spec{Path: "p", Session: true, Group: NewGroup}, "resolve: p: Session and Group together: a new session has a group of its own: invalid argument"},
		{"terminal without session", Spec{Path: "p", Files: three, Terminal: ptr(0)}, "resolve: p: Terminal without Session: only a new session can acquire a controlling terminal: invalid argument"},
		{"terminal beyond the files", Spec{Path: "p", Session: true, Files: three, Terminal: ptr(3)}, "resolve: p: Terminal 3 is not one of the 3 descriptors: invalid argument"},
		{"foreground with session", Spec{Path: "p", Session: true, Files: three, Foreground: ptr(0)}, "resolve: p: Session and Foreground together: a new session has no part in the host's terminal: invalid argument"},
		{"foreground without group", Spec{Path: "p", Files: three, Foreground: ptr(0)}, "resolve: p: Foreground without Group: it is a group of the child's own, or the one it joins, that comes to the foreground: invalid argument"},
		{"foreground beyond the files", Spec{Path: "p", Group: NewGroup, Files: three, Foreground: ptr(3)}, "resolve: p: Foreground 3 is not one of the 3 descriptors: invalid argument"},
		{"foreground below zero", Spec{Path: "p", Group: 77, Files: three, Foreground: ptr(-1)}, "resolve: p: Foreground -1 is not one of the 3 descriptors: invalid argument"},
		{"terminal below zero", Spec{Path: "p", Session: true, Files: three, Terminal: ptr(-1)}, "resolve: p: Terminal -1 is not one of the 3 descriptors: invalid argument"},
		{"ignoring SIGKILL", Spec{Path: "p", Ignore: []syscall.Signal{syscall.SIGKILL}}, "resolve: p: signal 9 cannot be ignored: invalid argument"},
		{"ignoring SIGSTOP", Spec{Path: "p", Ignore: []syscall.Signal{stopSignal}}, "cannot be ignored: invalid argument"},
		{"ignoring signal 0", Spec{Path: "p", Ignore: []syscall.Signal{0}}, "resolve: p: signal 0 cannot be ignored: invalid argument"},
		{"ignoring signal 65", Spec{Path: "p", Ignore: []syscall.Signal{65}}, "resolve: p: signal 65 cannot be ignored: invalid argument"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.spec.Validate()
			if tt.want == "" {
				if err != nil {
					t.Errorf("is refused: %v", err)
				}
				return
			}
			if err == nil || !strings.HasSuffix(err.Error(), tt.want) {
				t.Fatalf("says\n %v\nwant\n %s", err, tt.want)
			}
			var e *Error
			if !errors.As(err, &e) || e.Phase != PhaseResolve || !errors.Is(err, syscall.EINVAL) {
				t.Errorf("%#v is not EINVAL in PhaseResolve", err)
			}
		})
	}
}

func TestArgv(t *testing.T) {
	for _, tt := range []struct {
		spec Spec
		want []string
	}{
		{Spec{Path: "p"}, []string{"p"}},
		{Spec{Path: "p", Args: []string{}}, []string{"p"}},
		{Spec{Path: "p", Args: []string{""}}, []string{""}},
		{Spec{Path: "p", Args: []string{"q", "r"}}, []string{"q", "r"}},
	} {
		if d := cmp.Diff(tt.want, tt.spec.Argv()); d != "" {
			t.Errorf("%v: -want +got:\n%s", tt.spec.Args, d)
		}
	}
}

func TestParseOption(t *testing.T) {
	for in, want := range map[string]Option{
		"k=v": {"k", "v"}, "k=": {"k", ""}, "k=a=b": {"k", "a=b"}, " k = v ": {" k ", " v "},
	} {
		if o, err := ParseOption(in); err != nil || o != want {
			t.Errorf("ParseOption(%q) = %v, %v, want %v", in, o, err, want)
		}
	}
	for _, in := range []string{"", "k", "=", "=v"} {
		if o, err := ParseOption(in); err == nil || !strings.Contains(err.Error(), "want KEY=VALUE") {
			t.Errorf("ParseOption(%q) = %v, %v", in, o, err)
		}
	}
}

func TestTheLastOptionCounts(t *testing.T) {
	s := Spec{Options: []Option{{"a", "1"}, {"b", "2"}, {"a", ""}}}
	for key, want := range map[string]struct {
		value string
		ok    bool
	}{"a": {"", true}, "b": {"2", true}, "c": {"", false}} {
		if value, ok := s.Option(key); value != want.value || ok != want.ok {
			t.Errorf("Option(%q) = %q, %v, want %v", key, value, ok, want)
		}
	}
}

// Specs that differ in what the host fills in have one shape; those that
// differ in anything a plan depends on have two.
func TestShape(t *testing.T) {
	base := func() Spec {
		return Spec{
			Path: "/a", Args: []string{"a"}, Env: []string{"A=1"}, Dir: "/d", Files: make([]*os.File, 3), Session: true,
			Umask: ptr(uint32(0o22)), Options: []Option{{"k", "v"}},
		}
	}
	shape := func(change func(*Spec)) string {
		s := base()
		change(&s)
		s = s.Shape()
		b, _ := s.AppendBinary(nil)
		return string(b)
	}
	reference := shape(func(*Spec) {})
	for name, change := range map[string]func(*Spec){
		"program":     func(s *Spec) { s.Path = "/b" },
		"arguments":   func(s *Spec) { s.Args = nil },
		"environment": func(s *Spec) { s.Env = []string{} },
		"directory":   func(s *Spec) { s.Dir = "/e" },
		"descriptors": func(s *Spec) { s.Files = nil },
		"descriptors that are to come": func(s *Spec) {
			s.open = []int{0, 1}
		},
	} {
		if shape(change) != reference {
			t.Errorf("another %s is another shape", name)
		}
	}
	for name, change := range map[string]func(*Spec){
		"no directory": func(s *Spec) { s.Dir = "" },
		"session":      func(s *Spec) { s.Session = false },
		"group":        func(s *Spec) { s.Group = NewGroup },
		"terminal":     func(s *Spec) { s.Terminal = ptr(0) },
		"credential":   func(s *Spec) { s.Credential = &Credential{} },
		"foreground":   func(s *Spec) { s.Foreground = ptr(0) },
		"umask":        func(s *Spec) { s.Umask = ptr(uint32(0)) },
		"limits":       func(s *Spec) { s.Limits = []Limit{{}} },
		"ignore":       func(s *Spec) { s.Ignore = []syscall.Signal{1} },
		"no new privs": func(s *Spec) { s.NoNewPrivs = true },
		"options":      func(s *Spec) { s.Options = nil },
	} {
		if shape(change) == reference {
			t.Errorf("another %s is the same shape", name)
		}
	}
	s := base()
	s.Shape()
	if s.Path != "/a" || s.Dir != "/d" || len(s.Files) != 3 {
		t.Error("Shape changed its receiver")
	}
}
