package stub_blocked_test

import (
	"flag"
	"os"
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
			backendtest.Run(t, b, backendtest.Options{Binary: backendtest.Binary(t, "../../cmd/spawn-backend-"+key, *binaries)})
		})
	}
}
