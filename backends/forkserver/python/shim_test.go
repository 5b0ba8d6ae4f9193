//go:build linux

package python_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hatchery-spawn/hatchery/backends/forkserver/python"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// writeShim makes, in dir, a script as pyenv-rehash writes it, and a pyenv that
// does what pyenv-exec does with variables. A file of the current directory says
// which interpreter it is to be: "this", or none.
func writeShim(t testing.TB, dir, interpreter string) (path string) {
	t.Helper()
	pyenv := filepath.Join(dir, "pyenv")
	path = filepath.Join(dir, "python3")
	for name, text := range map[string]string{
		path: fmt.Sprintf("#!/usr/bin/env bash\nset -e\nprogram=\"${0##*/}\"\nexport PYENV_ROOT=%q\nexec %q exec \"$program\" \"$@\"\n", dir, pyenv),
		pyenv: fmt.Sprintf(`#!/usr/bin/env bash
set -e
shift
if [ "$(cat .python-version)" != this ]; then
  echo "pyenv: version is not installed" >&2
  exit 127
fi
export PYENV_VERSION=this PYENV_DIR="$PWD" PATH="%s:$PATH"
unset PYENV_SHELL
shift
exec %q "$@"
`, dir, interpreter),
	} {
		if err := os.WriteFile(name, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// What a shim chooses, and what it does to variables, is the same for a child
// that is warm: in the directory of each. The order of the environment is the
// hash order of a shell, and not compared.
func TestShim(t *testing.T) {
	interpreter := interpreters(t)[0]
	path := writeShim(t, t.TempDir(), interpreter)
	ts := newTemplates(t)
	for _, env := range []string{"", "SHLVL=7", "PWD=/nonsense", "OLDPWD=/usr", "PYENV_SHELL=sh", "_=x", "PYENV_VERSION=1", "X.Y=1"} {
		compare(t, ts, path, program{
			name: env,
			env:  append([]string{"A=b"}, strings.Fields(env)...),
			script: `import os, sys
print(sys.argv, sys.executable, getattr(sys, "orig_argv", None), sys.path)
for k in sorted(os.environb):
    print(k, os.environb[k])
os.execv("/usr/bin/sort", ["sort", "-z", "/proc/self/environ"])
`,
			files: map[string]string{".python-version": "this\n"},
		})
	}
}

// A relative path is one in the child's directory, and nowhere else.
func TestRecognizeRelativePaths(t *testing.T) {
	dir := t.TempDir()
	writeShim(t, dir, "/usr/bin/python3")
	other := t.TempDir()
	if err := os.WriteFile(filepath.Join(other, "python3"), []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ dir, why string }{
		{dir, ""},
		{filepath.Join(dir, "empty"), ""}, // starting it will say what is wrong
		{other, "name the interpreter"},
		{"", "is relative"},
		{"here", "is relative"},
	} {
		boot, why := python.Recognize(&spawn.Spec{Path: "./python3", Args: []string{"python3", "x.py"}, Env: []string{}, Dir: tt.dir}, nil, new(spawn.Basis))
		if tt.why == "" && (why != "" || !boot.Here) || !strings.Contains(why, tt.why) {
			t.Errorf("in %q: %q, in the child's directory: %v; want %q", tt.dir, why, boot.Here, tt.why)
		}
	}
}

func TestRecognizeShims(t *testing.T) {
	good := writeShim(t, t.TempDir(), "/usr/bin/python3")
	text, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		text, env string
		why       string // part of the reason, empty where it is recognised
	}{
		"as pyenv writes it":   {string(text), "", ""},
		"another script":       {"#!/bin/sh\nexec python3.11 \"$@\"\n", "", "name the interpreter"},
		"more behind it":       {string(text) + "echo\n", "", "name the interpreter"},
		"by the arguments":     {strings.Replace(string(text), "set -e", "PYENV_FILE_ARG=$1", 1), "", "by the arguments"},
		"debugged":             {string(text), "PYENV_DEBUG=1", "PYENV_DEBUG"},
		"a file that is read":  {string(text), "BASH_ENV=/x", "BASH_ENV"},
		"options of the shell": {string(text), "SHELLOPTS=xtrace", "SHELLOPTS"},
		"a program":            {"\x7fELF", "BASH_ENV=/x", ""},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "python3")
			if err := os.WriteFile(path, []byte(tt.text), 0o755); err != nil {
				t.Fatal(err)
			}
			boot, why := python.Recognize(&spawn.Spec{Path: path, Args: []string{path, "x.py"}, Env: strings.Fields(tt.env + " ")}, nil, new(spawn.Basis))
			if tt.why == "" && why != "" || !strings.Contains(why, tt.why) {
				t.Errorf("%q, want %q", why, tt.why)
			}
			if is := strings.HasPrefix(tt.text, "#!"); why == "" && boot.Here != is {
				t.Errorf("in the child's directory: %v, want %v", boot.Here, is)
			}
		})
	}
}
