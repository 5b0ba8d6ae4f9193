package discovery

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// maxPath is how long the path of a Unix socket may be, in bytes: sun_path in
// unix(7) has 108, and a NUL byte ends it.
const maxPath = 107

func checkPath(path string) error {
	if len(path) <= maxPath {
		return nil
	}
	return &spawn.Error{Op: "socket", Path: path, Errno: syscall.ENAMETOOLONG,
		Msg: fmt.Sprintf("a Unix socket's path of %d bytes, at most %d: choose a shorter folder, or set $XDG_RUNTIME_DIR or $TMPDIR to one", len(path), maxPath)}
}

// clear removes the file of a socket at which nobody listens any more. What
// somebody listens at, and what is no socket, is an error.
func clear(path string) error {
	st, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if st.Mode().Type() != fs.ModeSocket {
		return &spawn.Error{Op: "socket", Path: path, Errno: syscall.EADDRINUSE, Msg: "a file is there that is no socket: remove it, or choose another path"}
	}
	conn, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		conn.Close()
	}
	if !errors.Is(err, syscall.ECONNREFUSED) && !errors.Is(err, fs.ErrNotExist) {
		return &spawn.Error{Op: "socket", Path: path, Errno: syscall.EADDRINUSE, Msg: "somebody listens there"}
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
