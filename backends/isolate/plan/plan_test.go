//go:build linux

package plan

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hatchery-spawn/hatchery/internal/launch"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// words returns a plan's steps as texts.
func words(p *spawn.Plan) []string {
	var out []string
	for _, s := range p.Steps {
		out = append(out, s.String())
	}
	return out
}

func makePlan(t *testing.T, s *spawn.Spec) *spawn.Plan {
	t.Helper()
	s.Path = "/bin/true"
	p, err := Make(s)
	if err != nil {
		t.Fatal(err)
	}
	if err := launch.Check(p, len(p.Files)); err != nil {
		t.Fatalf("the keeper would refuse it: %v", err)
	}
	return p
}

// TestEveryStepSaysWhatItIsFor: what fails is told in words.
func TestEveryStepSaysWhatItIsFor(t *testing.T) {
	dir := t.TempDir()
	p := makePlan(t, &spawn.Spec{Options: options(t, "profile=empty", "bind="+dir+":/x/y:rw", "tmpfs=/z:1m", "hostname=n", "uid=1")})
	plain := []spawn.Op{spawn.OpClose, spawn.OpFchdir, spawn.OpChdir, spawn.OpNoNewPrivs, spawn.OpSecurebits, spawn.OpBound, spawn.OpAmbientClear, spawn.OpCapset,
		spawn.OpPdeathsig, spawn.OpFiles, spawn.OpExec, spawn.OpSethostname, spawn.OpUmask}
	for _, s := range p.Steps {
		if s.Note == "" && !slices.Contains(plain, s.Op) {
			t.Errorf("%s has no note", s)
		}
		if len(s.Note) > 200 {
			t.Errorf("%s: its note has %d bytes and would be cut", s, len(s.Note))
		}
	}
}

// TestRightsGoLast: nothing is mounted after the rights are gone, and the program
// never runs with any.
func TestRightsGoLast(t *testing.T) {
	p := makePlan(t, &spawn.Spec{})
	index := func(op spawn.Op) int {
		return slices.IndexFunc(p.Steps, func(s spawn.Step) bool { return s.Op == op })
	}
	order := []spawn.Op{spawn.OpClone, spawn.OpKeyring, spawn.OpMount, spawn.OpUmount, spawn.OpNoNewPrivs, spawn.OpSecurebits, spawn.OpBound, spawn.OpCapset, spawn.OpInit, spawn.OpFiles, spawn.OpExec}
	last := -1
	for _, op := range order {
		i := index(op)
		if i <= last {
			t.Errorf("%s is step %d, want it behind %d", op, i, last)
		}
		last = i
	}
	for _, s := range p.Steps[index(spawn.OpNoNewPrivs):] {
		switch s.Op {
		case spawn.OpMount, spawn.OpMoveMount, spawn.OpMountSetattr, spawn.OpUmount, spawn.OpPivotRoot:
			t.Errorf("%s comes behind no_new_privs", s)
		}
	}
	if got := p.Steps[index(spawn.OpCapset)].String(); got != "capset(0, 0, 0)" {
		t.Errorf("got %s", got)
	}
	if !p.Reusable || len(p.Files) > 0 {
		t.Errorf("reusable %v, %d files", p.Reusable, len(p.Files))
	}
}

// TestNothingIsMadeInTheHost: folders are made where the file system is the
// child's own, and nowhere else.
func TestNothingIsMadeInTheHost(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct {
		opts []string
		made []string // the last part of each, in order; nil: refused
	}{
		{[]string{"bind=" + dir + ":/nowhere"}, nil},
		{[]string{"bind=" + dir + ":/usr/nowhere/x"}, nil},
		{[]string{"bind=" + dir + ":/usr/bin/env"}, nil},
		{[]string{"bind=/usr/bin/env:/usr"}, nil},
		{[]string{"bind=" + dir + ":/usr"}, []string{}},
		{[]string{"bind=" + dir + ":/tmp/a/b"}, []string{"a", "b"}},
		{[]string{"bind=" + dir + ":/dev/a"}, []string{"a"}},
		{[]string{"tmpfs=/usr/local", "bind=" + dir + ":/usr/local/c"}, []string{"c"}},
		{[]string{"profile=empty", "bind=/usr", "bind=" + dir + ":/d/e", "bind=" + dir + ":/d/f"}, []string{"dev", "tmp", "proc", "usr", "d", "e", "f"}},
		{[]string{"profile=empty", "bind=/usr", "bind=" + dir + ":/usr/nowhere"}, nil},
		{[]string{"root=" + dir}, nil}, // it has no /proc
	} {
		s := &spawn.Spec{Path: "x", Options: options(t, tt.opts...)}
		p, err := Make(s)
		if tt.made == nil {
			if !errors.Is(err, spawn.ErrBadOption) {
				t.Errorf("%q: %v, want it refused", tt.opts, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", tt.opts, err)
			continue
		}
		var made []string
		for _, s := range p.Steps {
			// Those by a path are in its own memory, before that is anywhere else.
			if s.Op == spawn.OpMkdir && s.Args[0] != spawn.CWD() {
				made = append(made, s.Args[1].Str)
			}
		}
		if !slices.Equal(made, tt.made) {
			t.Errorf("%q: it makes %q, want %q", tt.opts, made, tt.made)
		}
	}
}

func TestMissingFiles(t *testing.T) {
	for _, opt := range []string{"root=/nonexistent/x", "bind=/nonexistent/x:/tmp/x"} {
		_, err := Make(&spawn.Spec{Path: "x", Options: options(t, opt)})
		var pe *fs.PathError
		if !errors.Is(err, fs.ErrNotExist) || !errors.As(err, &pe) || pe.Path != "/nonexistent/x" {
			t.Errorf("%s: %v", opt, err)
		}
	}
	file := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Make(&spawn.Spec{Path: "x", Options: options(t, "root="+file)}); err == nil || !strings.Contains(err.Error(), "not a directory") {
		t.Errorf("a file as the root: %v", err)
	}
}

// TestIdentity: a user namespace with one id, but for root that asks for another.
func TestIdentity(t *testing.T) {
	p := makePlan(t, &spawn.Spec{Options: options(t, "uid=7", "gid=8")})
	all := strings.Join(words(p), "\n")
	for _, want := range []string{`"deny"`, `"7 `, `"8 `} {
		if !strings.Contains(all, want) {
			t.Errorf("the plan has no %s:\n%s", want, all)
		}
	}
	credential := &spawn.Credential{UID: 12, GID: 34, Groups: []uint32{5}}
	if _, err := Make(&spawn.Spec{Path: "x", Credential: credential, Options: options(t, "uid=7")}); !errors.Is(err, spawn.ErrBadOption) {
		t.Errorf("both: %v", err)
	}
	if os.Geteuid() != 0 {
		if _, err := Make(&spawn.Spec{Path: "x", Credential: credential}); !errors.Is(err, spawn.ErrBadOption) {
			t.Errorf("not root: %v", err)
		}
		return
	}
	p = makePlan(t, &spawn.Spec{Credential: credential})
	all = strings.Join(words(p), "\n")
	for _, want := range []string{"setgroups(5)", "setresgid(34)", "setresuid(12)"} {
		if !strings.Contains(all, want) {
			t.Errorf("the plan has no %s:\n%s", want, all)
		}
	}
	if strings.Contains(all, "uid_map") || p.Steps[0].Args[0].Num&cloneNewUser != 0 {
		t.Error("it has a user namespace")
	}
}

func TestGroupsThatCannotBeJoined(t *testing.T) {
	if _, err := Make(&spawn.Spec{Path: "x", Group: 4711}); !errors.Is(err, spawn.ErrBadOption) || !strings.Contains(err.Error(), "Group") {
		t.Errorf("%v", err)
	}
}

// TestOldRootIsNotKeptOpen: a descriptor of the old root would be open until the exec, and
// a link to /proc/self/fd, as the directory to start in, would lead there.
func TestOldRootIsNotKeptOpen(t *testing.T) {
	for _, opts := range [][]string{{"profile=empty", "bind=/usr"}} {
		p, err := Make(&spawn.Spec{Path: "x", Options: options(t, opts...)})
		if err != nil {
			t.Fatal(err)
		}
		isOld := func(s spawn.Step) bool { return s.Op == spawn.OpOpen && s.Note == "the old root" }
		closes := func(s spawn.Step) bool {
			return s.Op == spawn.OpClose && s.Args[0] == spawn.Result(slices.IndexFunc(p.Steps, isOld))
		}
		gone := slices.IndexFunc(p.Steps, func(s spawn.Step) bool { return s.Op == spawn.OpUmount })
		if at := slices.IndexFunc(p.Steps, closes); at < 0 || at > gone {
			t.Errorf("%q: the old root is let go of in step %d, and closed in step %d", opts, gone, at)
		}
	}
}
