package oci

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hatchery-spawn/hatchery/internal/capability"
	"github.com/hatchery-spawn/hatchery/internal/seccomp"
	"github.com/hatchery-spawn/hatchery/spawn"
)

func amd64() Machine { return Machine{Arch: seccomp.AMD64, Kernel: "6.18.44-x"} }

// TestErrorsNameTheLine counts lines up to the rule that is wrong.
func TestErrorsNameTheLine(t *testing.T) {
	const text = `{
	"Architectures": [],
	"syscalls": [
		{"names": ["read"], "action": "SCMP_ACT_ALLOW",
		 "comment": "]}"},

		{"names": ["write"], "action": "SCMP_ACT_ALLOW"},
		{
			"names": ["nonexistent"], "action": "SCMP_ACT_ERRNO"
		}
	],
	"defaultAction": "SCMP_ACT_ALLOW"
}`
	_, err := Read("p.json", []byte(text), amd64())
	if err == nil || !strings.Contains(err.Error(), `p.json: bad option: line 8: syscalls[2]: there is no system call "nonexistent"`) {
		t.Errorf("got %v", err)
	}
}

func TestRead(t *testing.T) {
	const text = `{
	"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 13, "defaultErrno": "EACCES",
	"architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
	"archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]}],
	"flags": ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_TSYNC"],
	"syscalls": [
		{"names": ["read", "write", "socketcall", "not_yet"], "action": "SCMP_ACT_ALLOW", "comment": "the usual"},
		{"name": "ptrace", "action": "SCMP_ACT_KILL"},
		{"names": ["clone"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 2114060288, "op": "SCMP_CMP_MASKED_EQ"}],
		 "excludes": {"caps": ["CAP_SYS_ADMIN"]}},
		{"names": ["clone"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}},
		{"names": ["socket"], "action": "SCMP_ACT_LOG", "args": [{"index": 0, "value": 38, "op": "SCMP_CMP_LT"}, {"index": 1, "value": 3, "op": "SCMP_CMP_NE"}]},
		{"names": ["bpf"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "6.19"}},
		{"names": ["kcmp"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "4.8", "arches": ["arm", "amd64"]}},
		{"names": ["kexec_load"], "action": "SCMP_ACT_ALLOW", "includes": {"arches": ["arm64"]}},
		{"names": ["acct"], "action": "SCMP_ACT_ERRNO"},
		{"names": ["reboot"], "action": "SCMP_ACT_ERRNO", "errno": "ENOSYS"},
		{"names": ["vhangup"], "action": "SCMP_ACT_TRAP"},
		{"names": ["read"], "action": "SCMP_ACT_ALLOW"}
	]}`
	p, err := Read("p.json", []byte(text), amd64())
	if err != nil {
		t.Fatal(err)
	}
	rule := func(a seccomp.Action, names ...string) seccomp.Rule { return seccomp.Rule{Names: names, Action: a} }
	when := func(r seccomp.Rule, c ...seccomp.Condition) seccomp.Rule { r.If = c; return r }
	want := &Profile{
		Filter: seccomp.Filter{Default: seccomp.Errno(13), Unknown: seccomp.Errno(38), Rules: []seccomp.Rule{
			rule(seccomp.Allow, "read", "write", "socketcall"),
			rule(seccomp.KillProcess, "ptrace"),
			when(rule(seccomp.Allow, "clone"), seccomp.None(0, 2114060288)),
			when(rule(seccomp.Log, "socket"), seccomp.Condition{Arg: 0, Op: seccomp.Less, Value: 38}, seccomp.Condition{Arg: 1, Op: seccomp.NotEqual, Value: 3}),
			rule(seccomp.Allow, "kcmp"),
			rule(seccomp.Errno(1), "acct"),
			rule(seccomp.Errno(38), "reboot"),
			rule(seccomp.Trap, "vhangup"),
			rule(seccomp.Allow, "read"),
		}},
		Flags: 2,
		Notes: []string{
			"architectures: calls by way of SCMP_ARCH_X86 stay shut",
			`syscalls[0]: there is no system call "not_yet": if a later kernel has it, it is treated as unknown`,
			"SCMP_ACT_KILL ends the whole process, not one thread",
		},
	}
	if d := cmp.Diff(want, p); d != "" {
		t.Error(d)
	}
	if _, err := seccomp.Assemble(p.Filter, seccomp.AMD64); err != nil {
		t.Error(err)
	}
	m := amd64()
	m.Capabilities = capability.All()
	if p, err = Read("p.json", []byte(text), m); err != nil || len(p.Filter.Rules[2].If) != 0 {
		t.Errorf("with all capabilities: %v, %v", p, err)
	}
}

func TestUnknownNumbers(t *testing.T) {
	for action, want := range map[string]seccomp.Action{
		"SCMP_ACT_ERRNO": seccomp.Errno(38), "SCMP_ACT_ALLOW": 0, "SCMP_ACT_LOG": 0, "SCMP_ACT_KILL": 0, "SCMP_ACT_TRAP": 0,
	} {
		p, err := Read("p", []byte(`{"defaultAction": "`+action+`"}`), amd64())
		if err != nil || p.Filter.Unknown != want {
			t.Errorf("%s: %v, %v; want %v", action, p, err, want)
		}
	}
}

func TestMistakes(t *testing.T) {
	entry := func(e string) string {
		return "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [\n{\"names\": [\"ioctl\"], \"action\": \"SCMP_ACT_ALLOW\"},\n" + e + "]}"
	}
	args := func(a string) string {
		return entry(`{"names": ["read"], "action": "SCMP_ACT_LOG", "args": [` + a + `]}`)
	}
	tests := []struct{ text, want string }{
		{``, "not JSON: it ends too early"},
		{"{\n\n]", "not JSON: line 3"},
		{`{"defaultAction": "SCMP_ACT_ALLOW"} {}`, "there is something behind the end, line 1"},
		{`{}`, "defaultAction is missing"},
		{`[]`, "want oci.document, not a array"},
		{`{"defaultAction": "allow"}`, `defaultAction: "allow": there are SCMP_ACT_ALLOW`},
		{`{"defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet": 1}`, `goes with SCMP_ACT_ERRNO, not "SCMP_ACT_ALLOW"`},
		{`{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 4096}`, "errors are 0 to 4095"},
		{`{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrno": "EDOM"}`, `errno "EDOM": say it by number`},
		{`{"defaultAction": "SCMP_ACT_NOTIFY"}`, "needs somebody outside who answers"},
		{`{"defaultAction": "SCMP_ACT_ALLOW", "syscals": []}`, `there is no field "syscals": there are defaultAction, `},
		{`{"defaultAction": "SCMP_ACT_ALLOW", "flags": ["X"]}`, `flags: "X": there are`},
		{`{"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/x"}`, "listenerPath: nobody listens"},
		{`{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_AARCH64"]}`, "for SCMP_ARCH_AARCH64, this machine is SCMP_ARCH_X86_64"},
		{entry(`{"action": "SCMP_ACT_LOG"}`), "syscalls[1]: names is missing"},
		{entry(`{"name": "read", "names": ["write"], "action": "SCMP_ACT_LOG"}`), "name and names"},
		{entry(`{"names": ["read"]}`), `syscalls[1]: "read": action: "": there are`},
		{entry(`{"names": "read"}`), "syscalls[1]: names: want []string, not a string"},
		{entry(`{"names": ["read"], "actoin": ""}`), `syscalls[1]: there is no field "actoin": there are name, names, action`},
		{entry(`{"names": ["muont"], "action": "SCMP_ACT_ERRNO"}`), `there is no system call "muont", so it cannot be refused`},
		{entry(`{"names": ["read", "ioctl"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 1, "value": 21522, "op": "SCMP_CMP_EQ"}]}`), `"ioctl": syscalls[0] has let it happen already`},
		{args(`{"index": 0, "value": 1, "op": "EQ"}`), `args[0]: op "EQ": there are SCMP_CMP_NE`},
		{args(`{"index": 6, "value": 1, "op": "SCMP_CMP_EQ"}`), "there is no argument 6"},
		{args(`{"index": 0, "value": -1, "op": "SCMP_CMP_EQ"}`), "want uint64, not a number -1"},
		{args(`{"index": 0, "value": 1, "valueTwo": 1, "op": "SCMP_CMP_EQ"}`), "valueTwo is for SCMP_CMP_MASKED_EQ"},
		{args(`{"index": 0, "value": 1, "valueTwo": 2, "op": "SCMP_CMP_MASKED_EQ"}`), "the value has bits that the mask has not"},
		{args(`{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}, {"index": 0, "value": 2, "op": "SCMP_CMP_EQ"}`), "a second condition on argument 0"},
		{entry(`{"names": ["read"], "action": "SCMP_ACT_LOG", "includes": {"caps": ["CAP_X"]}}`), `"read": includes: caps: there is no capability "CAP_X"`},
		{entry(`{"names": ["read"], "action": "SCMP_ACT_LOG", "excludes": {"minKernel": "new"}}`), `excludes: minKernel "new": want a version`},
	}
	for _, tt := range tests {
		_, err := Read("/etc/p.json", []byte(tt.text), amd64())
		var e *spawn.Error
		if !errors.As(err, &e) || e.Path != "/etc/p.json" || !errors.Is(err, spawn.ErrBadOption) || !strings.Contains(e.Msg, tt.want) {
			t.Errorf("%s\n\tgives %v; want %q", tt.text, err, tt.want)
		}
	}
}

// TestProfileOfARuntime reads a profile that is named by the environment, such
// as one of an installed container runtime.
func TestProfileOfARuntime(t *testing.T) {
	path := os.Getenv("HATCHERY_TEST_SECCOMP_PROFILE")
	if path == "" {
		t.Skip("HATCHERY_TEST_SECCOMP_PROFILE does not name a file")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, on := range []seccomp.Arch{seccomp.AMD64, seccomp.ARM64} {
		p, err := Read(path, text, Machine{Arch: on, Kernel: "6.18"})
		if err != nil {
			t.Fatal(err)
		}
		program, err := seccomp.Assemble(p.Filter, on)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d rules, %d instructions, notes %q", on, len(p.Filter.Rules), len(program)/8, p.Notes)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(`{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 5, "value": 7, "valueTwo": 1, "op": "SCMP_CMP_MASKED_EQ"}]}]}`)
	f.Add(`{"defaultAction": "SCMP_ACT_KILL", "flags": [], "syscalls": [{"name": "x", "action": "SCMP_ACT_LOG", "includes": {"minKernel": "4.", "arches": null}}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Read("f", []byte(text), amd64())
		if err != nil {
			if !errors.Is(err, spawn.ErrBadOption) {
				t.Errorf("error = %v", err)
			}
			return
		}
		if _, err := seccomp.Assemble(p.Filter, seccomp.AMD64); err != nil && !strings.Contains(err.Error(), "instructions") {
			t.Errorf("what was read cannot be assembled: %v", err)
		}
	})
}

func TestVersions(t *testing.T) {
	for text, want := range map[string][]int{"6.18.44-fc": {6, 18}, "4.8": {4, 8}, "5.10-rc1": {5, 10}} {
		if got, ok := version(text); !ok || !slices.Equal(got, want) {
			t.Errorf("version(%q) = %v, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "6", "x.1", "6.x"} {
		if got, ok := version(text); ok {
			t.Errorf("version(%q) = %v", text, got)
		}
	}
}
