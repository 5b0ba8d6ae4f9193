//go:build linux

package forkserver_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/hatchery-spawn/hatchery/actor"
	"github.com/hatchery-spawn/hatchery/backends/forkserver"
	"github.com/hatchery-spawn/hatchery/sdk/backendtest"
)

var (
	heavy    = flag.Bool("heavy", false, "repeat what conformance tests repeat thousands of times")
	binaries = flag.String("binaries", "", "folder of plugin binaries; else they are built")
)

func TestMain(m *testing.M) {
	actor.Park()
	switch {
	case os.Args[0] == child:
		os.Exit(childMain(os.Args[1:]))
	case len(os.Args) > 1 && os.Args[1] == "-c": // it is the shell
		err := syscall.Exec("/bin/sh", os.Args, os.Environ())
		fmt.Fprintln(os.Stderr, "sh:", err)
		os.Exit(127)
	}
	os.Exit(backendtest.Main(m, forkserver.New()))
}

// shell returns this program where every user may execute it: go test builds it
// in a folder of its user's own. Nothing else may be starting processes meanwhile:
// what is written by somebody cannot be executed.
func shell(t *testing.T) string {
	dir := t.TempDir()
	for _, d := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "shell")
	from, err := os.ReadFile(self(t))
	if err == nil {
		err = os.WriteFile(path, from, 0o755)
	}
	if err == nil {
		err = os.Chmod(path, 0o755) // whatever the umask
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// The children are warm: their shell is this program, which parks, and which
// executes the real one when it has been handed over. So what the shell finds is what
// the hand-off has made.
func TestConformance(t *testing.T) {
	sh := shell(t)
	binary := backendtest.Binary(t, "../../cmd/spawn-backend-forkserver", *binaries)
	backendtest.Run(t, forkserver.New(), backendtest.Options{Binary: binary, Heavy: *heavy, Shell: sh, Except: []string{
		"bytes-environment", // a Go program has no entries twice or without a name
		"error-arguments",   // what is handed over is not bounded by execve(2)
	}})
}
