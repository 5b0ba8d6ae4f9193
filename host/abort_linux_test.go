package host_test

import (
	"context"
	"io"
	"os"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
)

// TestGivenUpWithItsDescendants gives up starts at the moment in which the
// child becomes its program, which has a child of its own at once. When Start
// says that there is none, nothing of it is left.
func TestGivenUpWithItsDescendants(t *testing.T) {
	h := open(t, host.Config{})
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	spec := sh("sleep 100; :") // the shell waits for it
	spec.Files = []*os.File{nil, w}
	given := 0
	for n := range 400 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(n%40)*100*time.Microsecond)
		p, err := h.Start(ctx, spec)
		cancel()
		if err != nil {
			given++
			continue
		}
		p.Kill()
		wait(t, p, 10*time.Second)
	}
	w.Close()
	r.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.ReadAll(r); err != nil {
		t.Errorf("of %d starts that were given up, something still has the pipe: %v", given, err)
	}
}
