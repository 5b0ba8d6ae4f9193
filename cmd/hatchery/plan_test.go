//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// What plan says of the program, its arguments, directory and environment is
// what a child that run starts has.
func TestPlanIsWhatRunDoes(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	flags := []string{"--dir", dir, "--env", "ONE=1", "--env", "TWO=2"}
	program := []string{"sh", "-c", `readlink /proc/$$/exe; pwd -P; tr -dc '\0' </proc/$$/environ | wc -c; tr '\0' '\n' </proc/$$/cmdline`, "a b"}
	command := func(name string, more ...string) *exec.Cmd {
		args := append(append([]string{name}, flags...), more...)
		return hatchery(t, append(append(args, "--"), program...)...)
	}

	out, stderr, code := result(t, command("plan", "--json"))
	var plan struct {
		Program string
		Steps   []struct {
			Op   string
			Args []json.RawMessage
		}
	}
	if err := json.Unmarshal([]byte(out), &plan); err != nil || code != 0 {
		t.Fatal(err, code, stderr)
	}
	planned := map[string]json.RawMessage{}
	for _, s := range plan.Steps {
		for i, a := range s.Args {
			planned[s.Op+string(rune('0'+i))] = a
		}
	}

	out, stderr, code = result(t, command("run"))
	seen := strings.SplitN(out, "\n", 4)
	if len(seen) != 4 || code != 0 {
		t.Fatalf("%q, code %d: %s", out, code, stderr)
	}
	real, err := filepath.EvalSymlinks(plan.Program)
	if err != nil {
		t.Fatal(err)
	}
	was := map[string]json.RawMessage{
		"exec0":  encoded(t, plan.Program),
		"chdir0": encoded(t, seen[1]),
		"exec1":  encoded(t, strings.Split(strings.TrimSuffix(seen[3], "\n"), "\n")),
		"exec2":  json.RawMessage(`{"env":` + strings.TrimSpace(seen[2]) + `}`),
	}
	for key, want := range was {
		if got := planned[key]; !bytes.Equal(got, want) {
			t.Errorf("plan says %s of %s, the child had %s", got, key, want)
		}
	}
	if seen[0] != real {
		t.Errorf("plan says %s, the child is %s", real, seen[0])
	}
}

func encoded(t *testing.T, v any) json.RawMessage {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestPlanShowsEveryKindOfArgument(t *testing.T) {
	spec := spawn.Spec{Path: "/bin/x", Args: []string{"x", "\xff"}, Env: []string{"A=1"}, Dir: "/d"}
	plan := &spawn.Plan{Steps: []spawn.Step{
		spawn.CloneInto(0, spawn.FD(0)),
		spawn.Open(spawn.Str("/dev/null"), 2, 0),
		spawn.Write(spawn.Result(1), spawn.Str("\x80")),
		spawn.Chdir(spawn.HoleDir.Arg()),
		spawn.Exec(spawn.HolePath.Arg()),
	}}
	p, err := fill(registry.Entry{Key: "k", Path: "/b"}, plan, spec)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := p.print(&text); err != nil {
		t.Fatal(err)
	}
	want := `k (/b) would start "/bin/x":
1  clone(0, file 0 of the backend)
2  open("/dev/null", 2, 0)
3  write(result of step 2, "\x80")
4  chdir("/d")
5  exec("/bin/x", ["x", "\xff"], 1 variable)
`
	if diff := cmp.Diff(want, text.String()); diff != "" {
		t.Error("(-want +got):\n", diff)
	}
	wantJSON := `{"method":"k","source":"/b","program":"/bin/x","steps":[` +
		`{"op":"clone","args":[0,{"file":0}]},{"op":"open","args":["/dev/null",2,0]},` +
		`{"op":"write","args":[{"result":2},{"base64":"gA=="}]},{"op":"chdir","args":["/d"]},` +
		`{"op":"exec","args":["/bin/x",["x",{"base64":"/w=="}],{"env":1}]}]}`
	if diff := cmp.Diff(wantJSON, string(encoded(t, p))); diff != "" {
		t.Error("(-want +got):\n", diff)
	}
}
