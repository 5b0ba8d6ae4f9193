//go:build unix

package keeper

import "github.com/hatchery-spawn/hatchery/spawn"

// refuseExposed refuses to make a child with mounts of its own in a keeper whose program
// such a child could change: see sealedSelf.
func (k *keeper) refuseExposed(n *known) error {
	if !n.sandbox || !k.exposed() {
		return nil
	}
	return &spawn.Error{
		Kind: spawn.ErrUnavailable, Phase: spawn.PhaseSetup, Op: string(spawn.OpMount),
		Msg: "a child could change the file of this very program, by /proc/self/exe: it could not be executed from a read-only mount (it has a set-user-ID bit or " +
			"capabilities, or its folder is not in sight). Make the file another user's, and writable by nobody else",
	}
}
