//go:build linux

package forkserver_test

import (
	"flag"
	"fmt"
	"os"
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

// The children are warm: their shell is this program, which parks, and which
// executes the real one when it has been handed over. So what the shell finds is what
// the hand-off has made.
func TestConformance(t *testing.T) {
	binary := backendtest.Binary(t, "../../cmd/spawn-backend-forkserver", *binaries)
	backendtest.Run(t, forkserver.New(), backendtest.Options{Binary: binary, Heavy: *heavy, Shell: self(t), Except: []string{
		"bytes-environment", // a Go program has no entries twice or without a name
		"error-arguments",   // what is handed over is not bounded by execve(2)
	}})
}
