package host

import (
	"os"

	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// selfExe is this program, also when its file has been replaced or removed.
const selfExe = "/proc/self/exe"

// openSelf returns the program of a method that is built in: this one. The keeper is the
// same program, but by another name of its file, which is of no use to others; a plugin
// may want to say where its program is (os.Executable).
func openSelf(e registry.Entry) (*pluginProgram, error) {
	const pathOnly = 0x200000 // O_PATH, on every architecture
	p := &pluginProgram{path: selfExe, args: []string{pluginName, string(e.Key)}}
	if !byDescriptor {
		return p, nil
	}
	f, err := os.OpenFile(selfExe, pathOnly, 0)
	if err != nil {
		return nil, &spawn.Error{Phase: spawn.PhaseStart, Op: "open", Path: selfExe, Err: err}
	}
	p.file = f
	return p, nil
}
