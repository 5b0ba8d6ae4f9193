package spawn

import (
	"os"
	"slices"
	"syscall"
	"testing"
)

// The plan of a Spec with one field set differs from the shortest plan in what
// that field asks for and in nothing else.
func TestStandard(t *testing.T) {
	const exec = "exec({path}, {argv}, {envp})"
	tests := []struct {
		name string
		spec Spec
		want []string
	}{
		{"nothing", Spec{}, []string{"clone(0)", "files()", "pdeathsig(9)", exec}},
		{"what the host fills in", Spec{Path: "/p", Args: []string{"a"}, Env: []string{}, Files: make([]*os.File, 5)},
			[]string{"clone(0)", "files()", "pdeathsig(9)", exec}},
		{"Options are not its affair", Spec{Options: []Option{{"k", "v"}}},
			[]string{"clone(0)", "files()", "pdeathsig(9)", exec}},
		{"Dir", Spec{Dir: "/d"}, []string{"clone(0)", "files()", "pdeathsig(9)", "chdir({dir})", exec}},
		{"Session", Spec{Session: true}, []string{"clone(0)", "setsid()", "files()", "pdeathsig(9)", exec}},
		{"NewGroup", Spec{Group: NewGroup}, []string{"clone(0)", "setpgid(0)", "files()", "pdeathsig(9)", exec}},
		{"an existing group", Spec{Group: 4711}, []string{"clone(0)", "setpgid(4711)", "files()", "pdeathsig(9)", exec}},
		{"Terminal", Spec{Session: true, Terminal: ptr(0), Files: make([]*os.File, 1)},
			[]string{"clone(0)", "setsid()", "files()", "pdeathsig(9)", "tiocsctty(0)", exec}},
		{"Foreground", Spec{Group: NewGroup, Foreground: ptr(0), Dir: "/d", Files: make([]*os.File, 1)},
			[]string{"clone(0)", "setpgid(0)", "files()", "pdeathsig(9)", "chdir({dir})", "tiocspgrp(0, 0)", exec}},
		{"Foreground of an existing group", Spec{Group: 4711, Foreground: ptr(2), Files: make([]*os.File, 3)},
			[]string{"clone(0)", "setpgid(4711)", "files()", "pdeathsig(9)", "tiocspgrp(2, 4711)", exec}},
		{"Credential", Spec{Credential: &Credential{UID: 1, GID: 2}},
			[]string{"clone(0)", "files()", "setgroups()", "setresgid(2)", "setresuid(1)", "pdeathsig(9)", exec}},
		{"Credential with groups", Spec{Credential: &Credential{UID: 1, GID: 2, Groups: []uint32{3, 4}}},
			[]string{"clone(0)", "files()", "setgroups(3, 4)", "setresgid(2)", "setresuid(1)", "pdeathsig(9)", exec}},
		{"Credential that keeps the groups", Spec{Credential: &Credential{UID: 1, GID: 2, Groups: []uint32{3}, KeepGroups: true}},
			[]string{"clone(0)", "files()", "setresgid(2)", "setresuid(1)", "pdeathsig(9)", exec}},
		{"Umask", Spec{Umask: ptr(uint32(0))}, []string{"clone(0)", "files()", "umask(0)", "pdeathsig(9)", exec}},
		{"Limits", Spec{Limits: []Limit{{7, 1, 2}, {4, 0, Unlimited}}},
			[]string{"clone(0)", "files()", "prlimit(7, 1, 2)", "prlimit(4, 0, -1)", "pdeathsig(9)", exec}},
		{"Ignore", Spec{Ignore: []syscall.Signal{1, 2}},
			[]string{"clone(0)", "files()", "pdeathsig(9)", "ignore(1)", "ignore(2)", exec}},
		{"NoNewPrivs", Spec{NoNewPrivs: true}, []string{"clone(0)", "files()", "no_new_privs()", "pdeathsig(9)", exec}},
		{"everything", Spec{
			Dir: "/d", Session: true, Terminal: ptr(0), Files: make([]*os.File, 1), Credential: &Credential{UID: 1, GID: 2},
			Umask: ptr(uint32(0o77)), Limits: []Limit{{7, 1, 2}}, Ignore: []syscall.Signal{1}, NoNewPrivs: true,
		}, []string{
			"clone(0)", "setsid()", "files()", "prlimit(7, 1, 2)", "umask(63)", "setgroups()", "setresgid(2)", "setresuid(1)",
			"no_new_privs()", "pdeathsig(9)", "ignore(1)", "chdir({dir})", "tiocsctty(0)", exec,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := Standard(&tt.spec)
			if got := words(p.Steps); !slices.Equal(got, tt.want) {
				t.Errorf("got\n %q\nwant\n %q", got, tt.want)
			}
			if !p.Reusable || p.Files != nil {
				t.Errorf("reusable %v, files %v", p.Reusable, p.Files)
			}
		})
	}
}

// Two Specs of one shape have one plan: that is what lets it be used again.
func TestStandardDependsOnTheShapeAlone(t *testing.T) {
	s := &Spec{Path: "/p", Args: []string{"a"}, Env: []string{"A=1"}, Dir: "/d", Session: true, NoNewPrivs: true}
	shape := s.Shape()
	if got, want := words(Standard(&shape).Steps), words(Standard(s).Steps); !slices.Equal(got, want) {
		t.Errorf("got\n %q\nwant\n %q", got, want)
	}
}
