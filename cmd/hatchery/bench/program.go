package bench

import (
	"context"
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

// Main is what a process that this package has started does, before anything
// else. It reports whether this is one: then the process is to exit with code.
func Main(args []string) (code int, ok bool) {
	switch {
	case len(args) == 2 && args[1] == exitArgument:
		return 0, true
	case len(args) == 3 && args[1] == tidyArgument:
		return tidy(args[2]), true
	case len(args) == 1 && args[0] == workerName:
		return work(), true
	}
	return 0, false
}

// A Program is what is started.
type Program struct {
	Name string
	What string // for people
	Path string
	Args []string // args[0] included

	tidier *tidier // of what was written for it; nil when that is nothing
}

// FindProgram returns the program of that name: Tiny, Go, or one that is
// installed. Tiny is written into a folder of its own, which is removed by Close,
// or when this process has ended otherwise; the error matches syscall.ENOEXEC
// where there is no such program.
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
	path := filepath.Join(dir, tinyName)
	err = tinyelf.Write(path, program)
	var t *tidier
	if err == nil {
		t, err = startTidier(dir)
	}
	if err != nil {
		os.RemoveAll(dir)
		return Program{}, err
	}
	what := fmt.Sprintf("a static program of %d bytes, which exits at once", len(program))
	return Program{Name: Tiny, What: what, Path: path, Args: []string{path}, tidier: t}, nil
}

// Try runs it once, by package os/exec. An error says why it cannot be measured.
func (p Program) Try(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, p.Path)
	cmd.Args, cmd.Env = p.Args, []string{}
	return cmd.Run()
}

// Close removes what FindProgram has written.
func (p Program) Close() error {
	if p.tidier == nil {
		return nil
	}
	return p.tidier.close()
}
