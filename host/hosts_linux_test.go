package host_test

import (
	"sync"
	"testing"

	"github.com/hatchery-spawn/hatchery/host"
)

// TestHostsComeAndGo opens and closes hosts of one process at the same time,
// each with a plugin whose socket stands in the runtime folder. None removes
// the folder of another that has taken over its name.
func TestHostsComeAndGo(t *testing.T) {
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			for range 10 {
				h, err := host.Open(host.Config{})
				if err != nil {
					t.Error(err)
					return
				}
				if err := h.Probe(t.Context(), "forkexec"); err != nil {
					t.Error(err)
				}
				if err := h.Close(); err != nil {
					t.Error("Close: ", err)
				}
			}
		})
	}
	wg.Wait()
}
