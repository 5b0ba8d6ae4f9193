package launch

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/hatchery-spawn/hatchery/spawn"
)

func TestCheckRefuses(t *testing.T) {
	exec := spawn.Exec(spawn.HolePath.Arg())
	with := func(s ...spawn.Step) []spawn.Step {
		return append(append([]spawn.Step{spawn.Clone(0)}, s...), exec)
	}
	step := func(op spawn.Op, args ...spawn.Arg) spawn.Step { return spawn.Step{Op: op, Args: args} }
	tests := []struct {
		name  string
		steps []spawn.Step
		says  string
	}{
		{"nothing", nil, "at least a clone and an exec"},
		{"no clone", []spawn.Step{spawn.Setsid(), exec}, "first step is the clone"},
		{"two clones", with(spawn.Clone(0)), "only the first"},
		{"no exec", []spawn.Step{spawn.Clone(0), spawn.Setsid()}, "last step is the exec"},
		{"two execs", with(exec), "only the last"},
		{"unknown", with(step("format_disk")), "no such step"},
		{"too few arguments", with(step(spawn.OpChdir)), "0 arguments, want 1"},
		{"too many arguments", with(step(spawn.OpSetsid, spawn.Int(1))), "1 arguments, want 0"},
		{"wrong kind", with(step(spawn.OpChdir, spawn.Int(1))), "argument 1 cannot be 1"},
		{"environment as a path", with(step(spawn.OpChdir, spawn.HoleEnv.Arg())), "cannot be {envp}"},
		{"descriptor that did not come", with(spawn.Fchdir(spawn.FD(2))), "descriptor 2 of 2"},
		{"negative descriptor", with(spawn.Fchdir(spawn.FD(-1))), "descriptor -1"},
		{"result of a later step", with(spawn.Close(spawn.Result(2)), spawn.Open(spawn.Str("/"), 0, 0)), "no earlier one with a result"},
		{"result of no open", with(spawn.Setsid(), spawn.Close(spawn.Result(1))), "no earlier one with a result"},
		{"NUL in a path", with(spawn.Chdir(spawn.Str("/\x00"))), "NUL"},
		{"signal 65", with(step(spawn.OpIgnore, spawn.Int(65))), "out of range"},
		{"descriptor 70000", with(spawn.Dup(spawn.FD(0), 70000)), "out of range"},
		{"uid -1", with(step(spawn.OpSetresuid, spawn.Int(-1))), "out of range"},
		{"gid -1 among groups", with(step(spawn.OpSetgroups, spawn.Int(5), spawn.Int(1<<32-1))), "out of range"},
		{"port 65536", with(spawn.Landlock(0, 1, 0), step(spawn.OpLandlockPort, spawn.Result(1), spawn.Int(65536), spawn.Int(1))), "out of range"},
		{"setns of two kinds", with(spawn.Setns(spawn.FD(0), 0x60000000)), "out of range"},
		{"half an instruction", with(spawn.Seccomp(0, "1234")), "out of range"},
		{"filter for all threads", with(spawn.Seccomp(1, "12345678")), "out of range"},
		{"the keeper's mounts", with(spawn.Mount(spawn.Str("none"), spawn.Str("/"), "", 0, "")), "a mount namespace of its own"},
		{"the keeper's host name", with(spawn.Unshare(0x20000), spawn.Sethostname("x")), "a UTS namespace of its own"},
		{"the keeper's network", with(spawn.LinkUp("lo")), "a network namespace of its own"},
		{"ids of no namespace of its own", with(spawn.UIDMap("0 0 1")), "the user namespace made by the clone"},
		{"ids behind process 1", []spawn.Step{spawn.Clone(0x30000000), spawn.Init(), spawn.GIDMap("0 0 1"), exec}, "before any process 1"},
		{"a number as folder", with(spawn.Unshare(0x20000), step(spawn.OpMkdir, spawn.Int(3), spawn.Str("x"), spawn.Int(0))), "argument 1 cannot be 3"},
		{"NUL in a file system", with(spawn.Fsopen("tmp\x00fs", 0)), "NUL"},
		{"foreign clone flag", []spawn.Step{spawn.Clone(0x100), exec}, "out of range"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := Check(&spawn.Plan{Steps: tt.steps}, 2)
			if !errors.Is(err, spawn.ErrBadPlan) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("Check: %v, want %q", err, tt.says)
			}
		})
	}
}

// TestCheckRefusesSharing holds that a child shares nothing with the keeper
// but, until its exec, the memory: of all flags only those of namespaces are
// taken, each of which gives the child something of its own.
func TestCheckRefusesSharing(t *testing.T) {
	namespaces := uint64(0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000 | 0x80)
	if cloneFlags == 0 {
		namespaces = 0 // this system has none
	}
	for bit := range 64 {
		flag := uint64(1) << bit
		p := &spawn.Plan{Steps: []spawn.Step{spawn.Clone(flag), spawn.Exec(spawn.HolePath.Arg())}}
		if err := Check(p, 0); (err == nil) != (namespaces&flag != 0) {
			t.Errorf("clone flag %#x: %v", flag, err)
		}
	}
}

// TestErrorsOfLongStepsAreShort: a step can have a megabyte.
func TestErrorsOfLongStepsAreShort(t *testing.T) {
	long := spawn.Write(spawn.FD(7), spawn.Str(strings.Repeat("\u00fc", 1<<19)))
	p := &spawn.Plan{Steps: []spawn.Step{spawn.Clone(0), long, spawn.Exec(spawn.HolePath.Arg())}}
	if err := Check(p, 0); err == nil || len(err.Error()) > 1000 || !strings.Contains(err.Error(), "step 1, write(") {
		t.Errorf("%.1500v", err)
	}
	if e := stepError(&Request{Plan: p}, 1, 5); len(e.Error()) > 1000 {
		t.Errorf("%.1500v", e)
	}
}

// TestFilesOutOfRange: such numbers come from no Spec.
func TestFilesOutOfRange(t *testing.T) {
	for _, n := range []int{-1, math.MinInt, maxNumber + 1, math.MaxInt} {
		if err := checkFiles(&Request{Files: []File{{Number: n}}}); !errors.Is(err, spawn.ErrProtocol) {
			t.Errorf("descriptor %d: %v", n, err)
		}
	}
}

func TestCheckTakesTheStandardPlan(t *testing.T) {
	mask, tty := uint32(0o22), 0
	for _, s := range []*spawn.Spec{
		{}, {Dir: "/"}, {Session: true, Terminal: &tty}, {Group: spawn.NewGroup, Foreground: &tty}, {Group: 77, Foreground: &tty}, {Umask: &mask}, {NoNewPrivs: true},
		{Credential: &spawn.Credential{UID: 1, GID: 1, Groups: []uint32{1}}}, {Group: 77},
		{Limits: []spawn.Limit{{Resource: 7, Soft: 1, Hard: spawn.Unlimited}}},
	} {
		if err := Check(spawn.Standard(s), 0); err != nil {
			t.Errorf("%+v: %v", s, err)
		}
	}
}
