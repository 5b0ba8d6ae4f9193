package host_test

import (
	"os"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/backends"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
)

func TestMain(m *testing.M) {
	host.Init(backends.Builtin()...)
	os.Exit(leakcheck.Main(m))
}

func open(t testing.TB, cfg host.Config) *host.Host {
	t.Helper()
	h, err := host.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error("Close: ", err)
		}
	})
	return h
}

var _ = time.Second
