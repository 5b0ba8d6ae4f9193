package bench

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// tinyName is the name of the tiny program in its folder.
const tinyName = "tiny"

// tidyArgument, before the path of a folder, has the command be a tidier.
const tidyArgument = "__tidy"

// A tidier is this program once more, which waits for the end of this process,
// however that comes, and removes the tiny program with its folder. It sleeps
// meanwhile, and is in a process group of its own: what a terminal sends to all
// of its group does not reach it.
type tidier struct {
	cmd *exec.Cmd
	end io.Closer // the other end of its standard input; it ends with this process
}

func startTidier(dir string) (*tidier, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	t := &tidier{cmd: exec.Command(exe, tidyArgument, dir)}
	t.cmd.SysProcAttr = ownGroup()
	if t.end, err = t.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	return t, t.cmd.Start()
}

// close has it remove the folder, and waits for that.
func (t *tidier) close() error {
	t.end.Close()
	return t.cmd.Wait()
}

// tidy is what a tidier does. Whatever path it is called with, it removes
// nothing but a program of that name, and an empty folder.
func tidy(dir string) int {
	io.Copy(io.Discard, os.Stdin)
	if os.Remove(filepath.Join(dir, tinyName)) != nil || os.Remove(dir) != nil {
		return 1
	}
	return 0
}
