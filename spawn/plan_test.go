package spawn

import (
	"slices"
	"strings"
	"syscall"
	"testing"
)

func words(steps []Step) []string {
	out := make([]string, len(steps))
	for i, s := range steps {
		out[i] = s.String()
	}
	return out
}

func TestInsert(t *testing.T) {
	p := &Plan{Steps: []Step{Clone(0), Exec(HolePath.Arg())}}
	p.Insert(Setsid(), NoNewPrivs())
	p.Insert()
	want := []string{"clone(0)", "setsid()", "no_new_privs()", "exec({path}, {argv}, {envp})"}
	if got := words(p.Steps); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	var empty Plan
	empty.Insert(Setsid())
	if got := words(empty.Steps); !slices.Equal(got, []string{"setsid()"}) {
		t.Errorf("into an empty plan: %q", got)
	}
}

func TestInsertBefore(t *testing.T) {
	p := &Plan{Steps: []Step{Clone(0), Umask(1), Umask(2), Exec(HolePath.Arg())}}
	if !p.InsertBefore(OpUmask, Setsid(), Close(FD(0))) {
		t.Error("no umask was found")
	}
	want := []string{"clone(0)", "setsid()", "close({file 0})", "umask(1)", "umask(2)", "exec({path}, {argv}, {envp})"}
	if got := words(p.Steps); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if p.InsertBefore(OpChroot, Setsid()) {
		t.Error("a chroot was found")
	}
	if got := words(p.Steps); !slices.Equal(got, want) {
		t.Errorf("the plan changed all the same: %q", got)
	}
}

// Each constructor, as `hatchery plan` prints what it makes.
func TestSteps(t *testing.T) {
	tests := []struct {
		step Step
		want string
	}{
		{Clone(0x20000000), "clone(536870912)"},
		{CloneInto(0, FD(1)), "clone(0, {file 1})"},
		{Setsid(), "setsid()"},
		{Setpgid(0), "setpgid(0)"},
		{Terminal(2), "tiocsctty(2)"},
		{Foreground(0, 0), "tiocspgrp(0, 0)"},
		{Foreground(2, 77), "tiocspgrp(2, 77)"},
		{Umask(0o22), "umask(18)"},
		{Priority(-5), "setpriority(-5)"},
		{Affinity("\x03\x00"), `setaffinity("\x03\x00")`},
		{SetLimit(Limit{7, 1024, Unlimited}), "prlimit(7, 1024, -1)"},
		{Setgroups(), "setgroups()"},
		{Setgroups(1, 1<<32-1), "setgroups(1, 4294967295)"},
		{Setresgid(5), "setresgid(5)"},
		{Setresuid(5), "setresuid(5)"},
		{NoNewPrivs(), "no_new_privs()"},
		{Pdeathsig(syscall.SIGKILL), "pdeathsig(9)"},
		{IgnoreSignal(1), "ignore(1)"},
		{Chdir(Str("/a b")), `chdir("/a b")`},
		{Fchdir(FD(0)), "fchdir({file 0})"},
		{Chroot(HoleDir.Arg()), "chroot({dir})"},
		{Open(Str("/x"), 2, 0o600), `open("/x", 2, 384)`},
		{Write(Result(3), Str("a\n")), `write({result 3}, "a\n")`},
		{Close(Result(3)), "close({result 3})"},
		{Dup(FD(0), 3), "dup({file 0}, 3)"},
		{Files(), "files()"},
		{Exec(HolePath.Arg()), "exec({path}, {argv}, {envp})"},
		{ExecFD(FD(0)), "execveat({file 0}, {argv}, {envp})"},
		{Step{Op: "later", Args: []Arg{{}, Hole(9).Arg()}}, "later({argument of kind 0}, {hole 9})"},
	}
	ops := make(map[Op]bool)
	for _, tt := range tests {
		if got := tt.step.String(); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
		if name, _, _ := strings.Cut(tt.want, "("); name != string(tt.step.Op) {
			t.Errorf("%s is named %s", tt.want, tt.step.Op)
		}
		ops[tt.step.Op] = true
	}
	if len(ops) != 26 { // the 25 Op constants and "later"
		t.Errorf("%d operations were tried", len(ops))
	}
}

func TestEnviron(t *testing.T) {
	host := []string{"A=1", "B=2=3", "odd", "A=4", "="}
	tests := []struct {
		exec Step
		want []string
	}{
		{Exec(HolePath.Arg()), host},
		{ExecFD(FD(0)), host},
		{ExecEnv(HolePath.Arg(), []string{"X=y", "B", "C", "Z="}), []string{"X=y", "B=2=3", "Z="}},
		{ExecEnv(HolePath.Arg(), []string{"A"}), []string{"A=1", "A=4"}},
		{ExecEnv(HolePath.Arg(), nil), []string{}},
	}
	for _, tt := range tests {
		p := &Plan{Steps: []Step{Clone(0), tt.exec}}
		if got := p.Environ(host); !slices.Equal(got, tt.want) || got == nil {
			t.Errorf("%s: %q, want %q", tt.exec, got, tt.want)
		}
	}
	if got := new(Plan).Environ(host); !slices.Equal(got, host) {
		t.Errorf("no steps: %q", got)
	}
}
