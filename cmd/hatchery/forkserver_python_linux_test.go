//go:build linux

package main

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// warmPython returns an interpreter that can be a template, and the command line of
// hatchery run that serves it warm.
func warmPython(t testing.TB) (python string, run []string) {
	t.Helper()
	out, err := exec.Command("python3", "-c", "import ctypes, sys; print(sys.executable); sys.exit(sys.version_info < (3, 9))").Output()
	if err != nil {
		t.Skip("needs python3, 3.9 or later, with ctypes: ", err)
	}
	return strings.TrimSpace(string(out)), []string{"run", "--spawn-backend", "forkserver", "--opt", "preload=json,decimal", "--opt", "require=warm"}
}

// A Python program under hatchery run writes and returns what it does without, to
// the byte.
func TestPythonIsTheSameWarm(t *testing.T) {
	python, run := warmPython(t)
	dir := t.TempDir()
	script := filepath.Join(dir, "script.py")
	for name, tt := range map[string]struct {
		args   []string
		script string
		stdin  string
	}{
		"arguments":           {args: []string{"-c", "import sys; print(sys.argv, sys.path, sys.executable); sys.exit(7)", "a", "", "b c"}},
		"a text as its exit":  {args: []string{script}, script: "import sys; sys.exit('no')"},
		"an exception":        {args: []string{script, "x"}, script: "def f(n):\n    return 1 // n\nf(0)\n"},
		"a module":            {args: []string{"-m", "json.tool"}, stdin: `{"a": [1, 2]}`},
		"a program as input":  {args: []string{"-"}, stdin: "import os\nprint(os.getcwd(), sorted(os.environ))\n"},
		"options":             {args: []string{"-IO", "-X", "dev", "-W", "error", script}, script: "import sys, warnings\nprint(sys.flags, sys.warnoptions)\nassert False\nwarnings.warn('w')\n"},
		"aborted":             {args: []string{script}, script: "import os, resource\nresource.setrlimit(resource.RLIMIT_CORE, (0, 0))\nprint('once', flush=True)\nos.abort()\n"},
		"killed":              {args: []string{"-c", "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"}},
		"the end of things":   {args: []string{script}, script: "import atexit, threading, time\natexit.register(print, 'at exit')\nt = threading.Thread(target=lambda: (time.sleep(0.05), print('thread')))\nt.start()\nprint('main')\n"},
		"children of its own": {args: []string{script}, script: "import subprocess, sys\nfrom multiprocessing import Pool\ndef f(x):\n    return x * x\nif __name__ == '__main__':\n    with Pool(2) as p:\n        print(p.map(f, range(5)))\n    print(subprocess.run([sys.executable, '-c', 'print(input())'], input=b'in', capture_output=True))\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(script, []byte(tt.script), 0o644); err != nil {
				t.Fatal(err)
			}
			warm := hatchery(t, append(append(run, "--", python), tt.args...)...)
			plain := exec.Command(python, tt.args...)
			plain.Env = warm.Env
			type outcome struct {
				Stdout, Stderr string
				Code           int
			}
			var got [2]outcome
			for i, cmd := range []*exec.Cmd{plain, warm} {
				cmd.Stdin, cmd.Dir = strings.NewReader(tt.stdin), dir
				got[i].Stdout, got[i].Stderr, got[i].Code = result(t, cmd)
			}
			if s := plain.ProcessState.Sys().(syscall.WaitStatus); s.Signaled() {
				got[0].Code = 128 + int(s.Signal())
			}
			if diff := cmp.Diff(got[0], got[1]); diff != "" {
				t.Errorf("plain (-) and warm (+):\n%s", diff)
			}
		})
	}
}

// What is sent to hatchery reaches a warm Python, which ends as it does without.
func TestPythonServerIsInterruptedWarm(t *testing.T) {
	python, run := warmPython(t)
	s := begin(t, append(run, "--", python, "-u", "-m", "http.server", "--bind", "127.0.0.1", "0")...)
	port, _, _ := strings.Cut(s.hears("Serving HTTP on 127.0.0.1 port "), " ")
	r, err := http.Get("http://127.0.0.1:" + port) // from then on it expects it
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	s.signal(syscall.SIGINT)
	s.hears("")
	s.hears("Keyboard interrupt received, exiting.")
	s.ends(0)
}

// With a terminal of its own it asks there.
func TestPythonAsksOnATerminalWarm(t *testing.T) {
	python, run := warmPython(t)
	term := onTerminal(t, append(run, "--tty", "--", python, "-c", "print('hello', input('name? '))")...)
	term.sees("name? ")
	term.types("Ada\r")
	term.sees("hello Ada")
	term.ends(0)
}
