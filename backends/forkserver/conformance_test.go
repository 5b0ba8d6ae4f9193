//go:build linux

package forkserver_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
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
	backendtest.Run(t, forkserver.New(), backendtest.Options{Binary: binary(t), Heavy: *heavy})
}

// binary returns the path of the plugin binary.
func binary(t *testing.T) string {
	t.Helper()
	const name = "spawn-backend-forkserver"
	if *binaries != "" {
		return filepath.Join(*binaries, name)
	}
	if testing.Short() {
		t.Log("without the plugin binary: it would have to be built")
		return ""
	}
	path := filepath.Join(t.TempDir(), name)
	if out, err := exec.Command("go", "build", "-o", path, "../../cmd/"+name).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}
