//go:build linux

package forkserver_test

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/hatchery-spawn/hatchery/backends/forkserver"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A counter counts how often a plugin is asked for a plan.
type counter struct{ plans atomic.Int32 }

func (c *counter) Begin(ctx context.Context, op host.Operation) (context.Context, host.Observation) {
	if op.Kind == host.OpPlan {
		c.plans.Add(1)
	}
	return ctx, c
}
func (*counter) Event(host.Event) {}
func (*counter) End(host.Outcome) {}

// A planning is a host, and how often it has asked.
type planning struct {
	*counter
	host *host.Host
}

func newPlanning(t *testing.T) planning {
	t.Helper()
	c := new(counter)
	h, err := host.Open(host.Config{Method: forkserver.Key, Observer: c})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return planning{c, h}
}

// plan returns the plan for a program, as text, and whether somebody was asked for it.
func (p planning) plan(t *testing.T, path string, args ...string) (text string, asked bool) {
	t.Helper()
	before := p.plans.Load()
	plan, err := p.host.Plan(t.Context(), forkserver.Key, spawn.Spec{Path: path, Args: append([]string{path}, args...)})
	if err != nil {
		t.Fatal(err)
	}
	return plan.Steps[0].String() + strings.Join(plan.Notes, " "), p.plans.Load() > before
}

// link makes path a link to a program that has not changed for a while.
func link(t *testing.T, path, program string) {
	t.Helper()
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	os.Remove(path)
	if err == nil {
		err = os.Symlink(program, path)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func script(t *testing.T, path string) {
	t.Helper()
	os.Remove(path)
	if err := os.WriteFile(path, []byte("#!/bin/sh\nexec /usr/bin/python3 \"$@\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

// Nobody is asked again while nothing has changed, whatever follows the script.
func TestPlanIsKept(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "bin", "python3")
	link(t, path, "/bin/true")
	link(t, filepath.Join(dir, "bin", "other"), "/bin/true")
	t.Setenv("PATH", filepath.Join(dir, "empty")+":"+filepath.Dir(path)+":"+os.Getenv("PATH"))
	p := newPlanning(t)
	for _, program := range []string{path, "python3", "other"} {
		for i, args := range [][]string{{"-u", "a.py"}, {"-u", "a.py"}, {"-u", "a.py", "b"}, {"-u", "a.py"}} {
			if text, asked := p.plan(t, program, args...); asked != (i == 0 || program == "other" && i == 2) {
				t.Errorf("%s %q: somebody was asked: %v\n%.100s", program, args, asked, text)
			}
		}
		for _, args := range [][]string{{"-u", "b.py"}, {"-u"}, nil, {"-i", "a.py"}} {
			if _, asked := p.plan(t, program, args...); !asked {
				t.Errorf("%s %q: nobody was asked", program, args)
			}
		}
	}
}

// What a plan was made from has changed: it is made anew.
func TestPlanIsMadeAnew(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(t *testing.T, dir string)
		want   string // in the new plan
	}{
		"another program":        {func(t *testing.T, dir string) { link(t, dir+"/v/bin/python3", "/bin/false") }, `handoff("fork"`},
		"a wrapper":              {func(t *testing.T, dir string) { script(t, dir+"/v/bin/python3") }, "name the interpreter itself"},
		"gone":                   {func(t *testing.T, dir string) { os.Remove(dir + "/v/bin/python3") }, `handoff("fork"`},
		"an earlier one in PATH": {func(t *testing.T, dir string) { script(t, dir+"/early/python3") }, "name the interpreter itself"},
		"another PATH":           {func(t *testing.T, dir string) { t.Setenv("PATH", dir+"/v/bin:/bin") }, `handoff("fork"`},
		"an option of Python's":  {func(t *testing.T, dir string) { t.Setenv("PYTHONINSPECT", "1") }, `handoff("fork"`}, // of this process, not the plugin
		"a virtual environment": {func(t *testing.T, dir string) {
			if err := os.WriteFile(dir+"/v/pyvenv.cfg", []byte("home = /usr/bin\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}, "HATCHERY_ZYGOTE_VENV="},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			link(t, dir+"/v/bin/python3", "/bin/true")
			if err := os.Mkdir(dir+"/early", 0o755); err != nil {
				t.Fatal(err)
			}
			t.Setenv("PATH", dir+"/early:"+dir+"/v/bin:/usr/bin:/bin")
			t.Setenv("PYTHONINSPECT", "")
			p := newPlanning(t)
			if text, asked := p.plan(t, "python3", "a.py"); !asked || !strings.HasPrefix(text, `handoff("fork"`) {
				t.Fatalf("at first, somebody was asked: %v; %.100s", asked, text)
			}
			if _, asked := p.plan(t, "python3", "a.py"); asked {
				t.Error("somebody was asked when nothing had changed")
			}
			tt.change(t, dir)
			if text, asked := p.plan(t, "python3", "a.py"); !asked || !strings.Contains(text, tt.want) {
				t.Errorf("afterwards, somebody was asked: %v; want %s in\n%.200s", asked, tt.want, text)
			}
		})
	}
}

// A program that parks gives way to one that does not.
func TestPlanOfAnotherProgram(t *testing.T) {
	path := filepath.Join(t.TempDir(), "program")
	link(t, path, self(t))
	p := newPlanning(t)
	if text, _ := p.plan(t, path); !strings.HasPrefix(text, `handoff("pool"`) {
		t.Errorf("%.100s", text)
	}
	link(t, path, "/bin/true")
	if text, asked := p.plan(t, path); !asked || !strings.Contains(text, "cold") {
		t.Errorf("somebody was asked: %v; %.100s", asked, text)
	}
}

// An interpreter that becomes part of a virtual environment is another template.
func TestVirtualEnvironmentMadeMeanwhile(t *testing.T) {
	const interpreter = "/usr/bin/python3"
	if exec.Command(interpreter, "-c", "import sys, ctypes; sys.exit(sys.version_info < (3, 9))").Run() != nil {
		t.Skip(interpreter + " is not there, or not as it is needed")
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	path := dir + "/bin/python3"
	link(t, path, interpreter)
	h := open(t)
	prefix := func() string {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		p := start(t, h, spawn.Spec{Path: path, Args: []string{path, "-c", "import sys; print(sys.prefix)"}, Files: []*os.File{nil, w, os.Stderr}, Env: []string{}})
		w.Close()
		out, err := io.ReadAll(r)
		if s := wait(t, p); err != nil || !s.Success() {
			t.Fatal(s, err)
		}
		return strings.TrimSpace(string(out))
	}
	if got := prefix(); got == dir {
		t.Errorf("it is one already: %s", got)
	}
	if err := os.WriteFile(dir+"/pyvenv.cfg", []byte("home = /usr/bin\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := prefix(); got != dir {
		t.Errorf("sys.prefix is %s, want %s", got, dir)
	}
}
