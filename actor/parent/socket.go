package parent

import (
	"os"
	"path/filepath"

	"github.com/hatchery-spawn/hatchery/host"
)

// socketName is how much of an actor's UID names its socket, in bytes: the path of
// a socket is short.
const socketName = 16

// reserveSocket chooses a path for the actor's own socket, if others can find it by
// a registrar.
func (a *Actor) reserveSocket(n *host.Nursery) error {
	if len(a.spec.Registrar) == 0 {
		return nil
	}
	dir, err := n.SocketFolder()
	if err != nil {
		return err
	}
	a.socket = filepath.Join(dir, a.uid[:socketName])
	return nil
}

// removeSocket removes what an actor has left that was killed.
func (a *Actor) removeSocket() {
	if a.socket != "" {
		os.Remove(a.socket)
	}
}
