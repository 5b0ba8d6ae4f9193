//go:build unix && !linux

package keeper

// watch has nothing to watch here: the end of the lane is noticed by the
// launchers.
func (k *keeper) watch(host int) {}
