package host

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// A fileUse is what a file in a backend folder is for.
type fileUse int

const (
	executable fileUse = iota // a plugin binary
	readable                  // a lock file
)

// checkKind says what a thing is that is no regular file, or no file to
// execute.
func checkKind(st fs.FileInfo, want fileUse) error {
	wanted := "want an executable file"
	if want == readable {
		wanted = "want a regular file"
	}
	switch mode := st.Mode(); {
	case mode.IsDir():
		return errors.New("a folder: " + wanted)
	case mode&fs.ModeNamedPipe != 0:
		return errors.New("a FIFO: " + wanted)
	case mode&fs.ModeSocket != 0:
		return errors.New("a socket: " + wanted)
	case !mode.IsRegular():
		return fmt.Errorf("a device (mode %v): %s", mode, wanted)
	case st.Size() == 0 && want == executable:
		return errors.New("an empty file: " + wanted)
	}
	return nil
}

func untrusted(path, msg string) error {
	return &spawn.Error{Kind: spawn.ErrUntrusted, Phase: spawn.PhaseStart, Path: path, Msg: msg}
}
