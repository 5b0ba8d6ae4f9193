package wire

import (
	"fmt"
	"syscall"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// MaxPath is how many bytes the path of the control socket may have. The
// kernel takes 107 on Linux and 103 elsewhere, see unix(7); past them go-plugin
// fails with a message about something else.
const MaxPath = 100

// socketSuffix is the longest name that go-plugin puts below SocketDir: two
// names of os.CreateTemp, which ends them with up to ten digits.
const socketSuffix = "/plugin-dir4294967295/plugin4294967295"

// checkSocketDir reports, before anything is started, whether a socket below
// dir can be reached.
func checkSocketDir(key, dir string) error {
	size := len(dir) + len(socketSuffix)
	if size <= MaxPath {
		return nil
	}
	return &spawn.Error{
		Key: key, Phase: spawn.PhaseStart, Op: "control socket", Path: dir, Errno: syscall.ENAMETOOLONG,
		Msg: fmt.Sprintf("a socket in this folder can have a path of %d bytes: the limit is %d, so the folder's may have %d and has %d; set a shorter runtime folder",
			size, MaxPath, MaxPath-len(socketSuffix), len(dir)),
	}
}
