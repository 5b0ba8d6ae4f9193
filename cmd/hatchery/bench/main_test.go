package bench

import (
	"os"
	"testing"

	"github.com/hatchery-spawn/hatchery/backends"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
)

func TestMain(m *testing.M) {
	if code, ok := Main(os.Args); ok {
		os.Exit(code)
	}
	host.Init(backends.Builtin()...)
	os.Exit(leakcheck.Main(m))
}
