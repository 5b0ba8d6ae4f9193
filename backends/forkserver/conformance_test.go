//go:build linux

package forkserver_test

import (
	"flag"
	"os"
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
	if os.Args[0] == child {
		os.Exit(childMain(os.Args[1:]))
	}
	os.Exit(backendtest.Main(m, forkserver.New()))
}

func TestConformance(t *testing.T) {
	backendtest.Run(t, forkserver.New(), backendtest.Options{Binary: backendtest.Binary(t, "../../cmd/spawn-backend-forkserver", *binaries), Heavy: *heavy})
}
