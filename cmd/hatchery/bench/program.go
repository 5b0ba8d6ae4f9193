package bench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/hatchery-spawn/hatchery/internal/tinyelf"
)

// Names of programs that need not be there.
const (
	Tiny = "tiny" // exits at once; written byte by byte
	Go   = "go"   // this very program, which exits at the top of main
)

// exitArgument, alone, has the command exit at the top of main.
const exitArgument = "__exit"

// IsExit reports whether a process with these arguments is the program Go. It
// is to exit with 0 then, before it does anything else.
func IsExit(args []string) bool { return len(args) == 2 && args[1] == exitArgument }

// A Program is what is started.
type Program struct {
	Name string
	What string // for people
	Path string
	Args []string // args[0] included
	dir  string   // to be removed; empty when there is none
}

// FindProgram returns the program of that name: Tiny, Go, or one that is
// installed. Tiny is written into a folder of its own, which Close removes; the
// error matches syscall.ENOEXEC where there is no such program.
func FindProgram(name string) (Program, error) {
	switch name {
	case Tiny:
		return writeTiny()
	case Go:
		path, err := os.Executable()
		return Program{Name: Go, What: "this program, in Go, which exits at the top of main", Path: path, Args: []string{path, exitArgument}}, err
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return Program{}, err
	}
	if path, err = filepath.Abs(path); err != nil {
		return Program{}, err
	}
	return Program{Name: name, What: path, Path: path, Args: []string{path}}, nil
}

func writeTiny() (Program, error) {
	program := tinyelf.Exit(0)
	dir, err := os.MkdirTemp("", "hatchery-bench-")
	if err != nil {
		return Program{}, err
	}
	path := filepath.Join(dir, "tiny")
	if err := tinyelf.Write(path, program); err != nil {
		os.RemoveAll(dir)
		return Program{}, err
	}
	what := fmt.Sprintf("a static program of %d bytes, which exits at once", len(program))
	return Program{Name: Tiny, What: what, Path: path, Args: []string{path}, dir: dir}, nil
}

// Close removes what FindProgram has written.
func (p Program) Close() error {
	if p.dir == "" {
		return nil
	}
	return os.RemoveAll(p.dir)
}
