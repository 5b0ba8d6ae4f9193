package forkexec_test

import (
	"flag"
	"os"
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
	backendtest.Run(t, forkexec.New(), backendtest.Options{Binary: backendtest.Binary(t, "../../cmd/spawn-backend-forkexec", *binaries), Heavy: *heavy})
}
