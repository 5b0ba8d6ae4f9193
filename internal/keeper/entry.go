//go:build unix

package keeper

import (
	"os"
	"syscall"
)

// Name is the keeper's argv[0], and what ps shows of it.
const Name = "hatchery-keeper"

// init is the keeper's way in: the one initialiser of the project that does
// something. Packages are initialised in the order of their import paths, so
// a program that links grpc gets here before any of that is set up, which
// halves the keeper's start. A process that was not started as a keeper passes
// at the price of one comparison.
//
// The way out is syscall.Exit: os.Exit takes a second under the race detector,
// which would be a second in which a dead host's keeper is still there.
func init() {
	if len(os.Args) < 2 || len(os.Args) > 3 || os.Args[0] != Name || !isSocket(laneFD) {
		return
	}
	if err := enter(os.Args[1:]); err != nil {
		os.Stderr.WriteString(Name + ": " + err.Error() + "\n")
		syscall.Exit(1)
	}
	syscall.Exit(0)
}

func isSocket(fd int) bool {
	var st syscall.Stat_t
	return syscall.Fstat(fd, &st) == nil && st.Mode&syscall.S_IFMT == syscall.S_IFSOCK
}
