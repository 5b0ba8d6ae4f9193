//go:build linux

package forkserver_test

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// warmPython returns an interpreter that can be a template.
func warmPython(t *testing.T) string {
	const python = "/usr/bin/python3"
	if exec.Command(python, "-c", "import ctypes, sys; sys.exit(sys.version_info < (3, 9))").Run() != nil {
		t.Skipf("no %s 3.9 or later with ctypes", python)
	}
	return python
}

// An interpreter whose start depends on the directory is started in that of its
// children.
func TestTemplateThatDependsOnTheDirectory(t *testing.T) {
	python := warmPython(t)
	h := open(t)
	base := t.TempDir()
	for _, name := range []string{"one", "two", "one"} {
		dir := filepath.Join(base, name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "named.py"), []byte("name = '"+name+"'\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		p := start(t, h, spawn.Spec{
			Path: python, Args: []string{"python3", "-c", "import named; print(named.name)"}, Dir: dir,
			Env:     []string{"PYTHONPATH=.", "PYTHONDONTWRITEBYTECODE=1"},
			Files:   []*os.File{nil, w, w},
			Options: []spawn.Option{{Key: "preload", Value: "named"}},
		})
		w.Close()
		out, _ := io.ReadAll(r)
		r.Close()
		if wait(t, p); string(out) != name+"\n" {
			t.Errorf("got %q, want %q", out, name)
		}
	}
}
