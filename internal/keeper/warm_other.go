//go:build unix && !linux

package keeper

import (
	"syscall"

	"github.com/hatchery-spawn/hatchery/internal/lane"
	"github.com/hatchery-spawn/hatchery/internal/launch"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// There are no processes that were made ready on this system.
type (
	warm    struct{}
	standby struct{}
	handing struct{}
	given   struct{}
)

func newWarm(*keeper) *warm { return nil }

func (*warm) close()                   {}
func (*warm) describe(b []byte) []byte { return b }
func (*warm) list() []TemplateState    { return nil }
func (l *launcher) handleWarm(f *lane.Frame) {
	closeAll(f.FDs)
	_, err := l.handOff(0, nil)
	l.answer(f.ID, err)
}

func (*handing) abort() {}

func (*launcher) settle() {}

func (t *table) standbyEnded(*child, syscall.WaitStatus, syscall.Rusage) {}

func (l *launcher) handOff(uint64, *spawn.Template) (launch.Child, error) {
	return launch.Child{Pidfd: -1}, &spawn.Error{Kind: spawn.ErrUnavailable, Phase: spawn.PhaseSetup, Op: handoff, Msg: "processes are made ready ahead on Linux alone"}
}
