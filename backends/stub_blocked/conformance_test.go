package stub_blocked_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/hatchery-spawn/hatchery/backends/stub_blocked"
	"github.com/hatchery-spawn/hatchery/sdk"
	"github.com/hatchery-spawn/hatchery/sdk/backendtest"
)

var binaries = flag.String("binaries", "", "folder of plugin binaries; else they are built")

func TestMain(m *testing.M) {
	os.Exit(backendtest.Main(m, stub_blocked.GoFork(), stub_blocked.Goroutine()))
}

func TestConformance(t *testing.T) {
	for _, b := range []sdk.Backend{stub_blocked.GoFork(), stub_blocked.Goroutine()} {
		key := b.Describe().Key
		t.Run(key, func(t *testing.T) {
			backendtest.Run(t, b, backendtest.Options{Binary: binary(t, key)})
		})
	}
}

// binary returns the path of the plugin binary of a key.
func binary(t *testing.T, key string) string {
	t.Helper()
	name := "spawn-backend-" + key
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
