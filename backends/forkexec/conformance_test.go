package forkexec_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/hatchery-spawn/hatchery/backends/forkexec"
	"github.com/hatchery-spawn/hatchery/sdk/backendtest"
)

var (
	heavy    = flag.Bool("heavy", false, "repeat what conformance tests repeat thousands of times")
	binaries = flag.String("binaries", "", "folder of plugin binaries; else they are built")
)

func TestMain(m *testing.M) { os.Exit(backendtest.Main(m, forkexec.New())) }

func TestConformance(t *testing.T) {
	backendtest.Run(t, forkexec.New(), backendtest.Options{Binary: binary(t), Heavy: *heavy})
}

// binary returns the path of the plugin binary.
func binary(t *testing.T) string {
	t.Helper()
	const name = "spawn-backend-forkexec"
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
