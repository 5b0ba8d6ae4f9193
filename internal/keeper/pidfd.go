//go:build unix

package keeper

import "syscall"

// spare returns a child's pidfd that was just received, or closes it and
// returns -1 when descriptors are running out: a host with very many children
// does not take from the program that embeds it what that needs for its own
// files. Its signals to such a child go by way of the keeper.
//
// The kernel gives out the lowest number that is free, so a number in the last
// quarter of the limit says that the other three are taken. The limit is asked
// for each time, as the embedding program may change it.
func spare(pidfd int) int {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return pidfd
	}
	if uint64(pidfd) < uint64(l.Cur)-uint64(l.Cur)/4 {
		return pidfd
	}
	syscall.Close(pidfd)
	return -1
}
