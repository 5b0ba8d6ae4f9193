package host_test

import (
	"testing"

	"github.com/hatchery-spawn/hatchery/host"
)

func TestSmoke(t *testing.T) {
	h := open(t, host.Config{})
	for range 3 {
		out, err := h.Command("sh", "-c", "echo hello; exit 7").Output()
		t.Logf("%q %v", out, err)
	}
}
