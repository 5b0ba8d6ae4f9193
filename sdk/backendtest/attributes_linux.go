package backendtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/hatchery-spawn/hatchery/spawn"
)

func attributeCases() []Case {
	return []Case{{
		Name: "inherited",
		Doc: "What the Spec leaves open is what a child of os/exec in the same host has: directory, umask, identity and groups, " +
			"capabilities, no_new_privs, filters, processors, nice value, limits (that of open files as it was before the Go runtime raised " +
			"it), score for the OOM killer, cgroup, root, process group and session.",
		Needs: []Ability{Programs, Local},
		Run:   inherited,
	}, {
		Name: "directory",
		Doc: "Spec.Dir is the child's working directory, whatever bytes are in its name, and a program with a relative path is found " +
			"from there.",
		Needs: []Ability{Programs, Local, Directory},
		Run:   directory,
	}, {
		Name:  "umask",
		Doc:   "Spec.Umask is the child's file mode creation mask, 0 included, which is another thing than none given: then it is the host's.",
		Needs: []Ability{Programs, Umask},
		Run:   umask,
	}, {
		Name: "limits",
		Doc: "Spec.Limits are the child's resource limits, soft and hard, a limit of open files included that lies below the numbers of " +
			"its descriptors.",
		Needs: []Ability{Programs, Limits},
		Run:   limits,
	}, {
		Name:  "no-new-privs",
		Doc:   "With Spec.NoNewPrivs the attribute of that name is set in the child: no setuid program can give it more rights than it has.",
		Needs: []Ability{Programs, NoNewPrivs},
		Run:   noNewPrivs,
	}}
}

// portrait is a script that says what a child inherits, without what differs
// from one process to the next.
const portrait = `p=/proc/$$
grep -E '^(Umask|Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp|Speculation|Cpus_allowed|Mems_allowed)' $p/status
echo nice, policy: $(nice) $(cut -d' ' -f41 $p/stat)
echo group, session, terminal: $(cut -d' ' -f5,6,7 $p/stat)
echo cwd, root: $(readlink $p/cwd) $(readlink $p/root)
echo oom: $(cat $p/oom_score_adj)
cat $p/limits $p/cgroup
:`

func inherited(t T, e *Env) {
	direct, err := exec.Command("/bin/sh", "-c", portrait, "sh").Output()
	if err != nil {
		t.Fatalf("os/exec: %v", err)
	}
	got := e.output(t, "a child of which nothing is said", sh(portrait))
	for _, d := range different(string(direct), got) {
		t.Errorf("%s", d)
	}
}

// different lists the lines in which two texts differ.
func different(want, got string) []string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	var out []string
	for i := range max(len(w), len(g)) {
		line := func(lines []string) string {
			if i < len(lines) {
				return lines[i]
			}
			return ""
		}
		if a, b := line(w), line(g); a != b {
			out = append(out, fmt.Sprintf("by os/exec: %q, here: %q", a, b))
		}
	}
	return out
}

func directory(t T, e *Env) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatalf("%v", err)
	}
	odd := filepath.Join(dir, "odd \xff\n")
	if err := os.Mkdir(odd, 0o755); err != nil {
		t.Fatalf("%v", err)
	}
	writeFile(t, filepath.Join(odd, "prog"), "#!/bin/sh\nexec readlink /proc/self/cwd\n", 0o755)
	for _, spec := range []spawn.Spec{sh("exec readlink /proc/self/cwd"), {Path: "./prog"}} {
		spec.Dir = odd
		if got := e.output(t, "a child with a directory", spec); got != odd+"\n" {
			t.Errorf("%s: its directory is %q, want %q", spec.Path, got, odd)
		}
	}
}

func umask(t T, e *Env) {
	for _, mask := range []uint32{0, 0o026, 0o777} {
		spec := sh("umask")
		spec.Umask = &mask
		if got, want := e.output(t, "a child with an umask", spec), fmt.Sprintf("%04o\n", mask); got != want {
			t.Errorf("the umask is %q, want %q", got, want)
		}
	}
}

func limits(t T, e *Env) {
	spec := sh("exec cat /proc/self/limits")
	spec.Limits = []spawn.Limit{
		{Resource: 4, Soft: 8192, Hard: 16384}, // RLIMIT_CORE
		{Resource: 7, Soft: 40, Hard: 50},      // RLIMIT_NOFILE
	}
	if e.Has(Descriptors) {
		null, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatalf("%v", err)
		}
		defer null.Close()
		spec.Files = place(nil, 60, null)
	}
	out := e.output(t, "a child with limits", spec)
	for _, want := range []string{"Max core file size 8192 16384 bytes", "Max open files 40 50 files"} {
		if !strings.Contains(strings.Join(strings.Fields(out), " "), want) {
			t.Errorf("want %q in\n%s", want, out)
		}
	}
}

func noNewPrivs(t T, e *Env) {
	spec := sh(statusScript)
	spec.NoNewPrivs = true
	if got := e.status(t, "a child without new privileges", spec)["NoNewPrivs"]; got != "1" {
		t.Errorf("NoNewPrivs is %q, want 1", got)
	}
}
