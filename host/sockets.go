package host

import (
	"os"
	"path/filepath"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// socketFolder is the name of the folder for the sockets of children, below the
// runtime folder.
const socketFolder = "s"

// SocketFolder returns a folder for Unix sockets of the nursery's children, which
// is private to this user and has a path of at most 64 bytes: a socket's path may
// have 107. It is made when it is first asked for, and removed with what is in it
// at the end of the host, also when that is killed. What a child has made there
// and has not removed is the caller's to remove before that.
func (n *Nursery) SocketFolder() (string, error) {
	path := filepath.Join(n.host.folder.path, socketFolder)
	if err := mkdirPrivate(path); err != nil && !os.IsExist(err) {
		return "", &spawn.Error{Phase: spawn.PhaseStart, Op: "socket folder", Err: err}
	}
	return path, nil
}
