package keeper

import "github.com/hatchery-spawn/hatchery/internal/linux"

// watch hangs up when the host's process has ended or its end of the lane is
// closed. Either alone is not enough: a child of the host's own can hold the
// lane open, and a host can give up the lane and live on.
func (k *keeper) watch(host int) {
	linux.PollExit(host, k.conn.Fd())
	k.hangUp()
}
