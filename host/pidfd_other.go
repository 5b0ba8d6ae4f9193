//go:build !linux

package host

import (
	"os"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// Pidfd fails: this system has none.
func (p *Process) Pidfd() (*os.File, error) {
	return nil, &spawn.Error{Key: string(p.key), Phase: spawn.PhaseRun, Op: "pidfd", Kind: spawn.ErrUnavailable, Msg: "this system has none"}
}
