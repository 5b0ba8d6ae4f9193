package parent_test

import (
	"os"
	"testing"

	"github.com/hatchery-spawn/hatchery/actor/parent"
)

// A gate lets many actors go on at the same moment: a pipe whose end they wait
// for.
type pipeGate struct{ r, w *os.File }

func newGate(t testing.TB) *pipeGate {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return &pipeGate{r, w}
}

// at has an actor wait at the gate, as its descriptor 3.
func (g *pipeGate) at(s parent.Spec) parent.Spec {
	s.Program.Files = []*os.File{nil, nil, nil, g.r}
	return s
}

func (g *pipeGate) open() { g.w.Close() }
