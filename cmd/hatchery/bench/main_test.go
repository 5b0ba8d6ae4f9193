package bench

import (
	"os"
	"testing"

	"github.com/hatchery-spawn/hatchery/backends"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
)

func TestMain(m *testing.M) {
	if IsExit(os.Args) {
		os.Exit(0)
	}
	host.Init(backends.Builtin()...)
	os.Exit(leakcheck.Main(m))
}
