package host

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// shebangSize is how much of a file the kernel looks at for a #! line:
// BINPRM_BUF_SIZE, Linux 5.1. It was 128 before.
const shebangSize = 256

// maxScripts is how deep the kernel follows interpreters that are scripts
// themselves.
const maxScripts = 4

// scriptCommand returns what the kernel would execute for a script, with the
// script's descriptor in the place of its name: the interpreter, and the
// argument list. head is how the script begins. The interpreter is checked like
// a plugin binary. That /usr/bin/env would look for one in $PATH is done here,
// so that what is executed is what was checked.
func scriptCommand(script string, head []byte) (path string, args []string, err error) {
	line, err := parseShebang(head)
	if err == nil {
		line, err = line.withoutEnv()
	}
	if err != nil {
		return "", nil, badScript(script, err)
	}
	if err := checkInterpreter(line.path, script, maxScripts); err != nil {
		return "", nil, err
	}
	return line.path, append(line.args, scriptName), nil
}

// A shebang is the command of a #! line.
type shebang struct {
	path string
	args []string // with argv[0], which is path in the line itself
}

// parseShebang reads the first line as the kernel does: the interpreter is the
// first word, all that follows is a single argument.
func parseShebang(head []byte) (shebang, error) {
	line, _, whole := bytes.Cut(bytes.TrimPrefix(head, []byte("#!")), []byte("\n"))
	text := strings.Trim(string(line), " \t")
	switch {
	case !whole && len(head) >= shebangSize:
		return shebang{}, fmt.Errorf("its first line is longer than the %d bytes that the kernel looks at", shebangSize-1)
	case strings.HasSuffix(text, "\r"):
		return shebang{}, errors.New("its first line ends with a carriage return: save it with the line ends of Unix")
	case text == "":
		return shebang{}, errors.New("its first line names no interpreter: want one like #!/bin/sh")
	case strings.ContainsRune(text, 0):
		return shebang{}, errors.New("its first line has a NUL byte in it")
	}
	s := shebang{path: text}
	if i := strings.IndexAny(text, " \t"); i >= 0 {
		s.path = text[:i]
		s.args = []string{strings.Trim(text[i:], " \t")}
	}
	if !filepath.IsAbs(s.path) {
		return shebang{}, fmt.Errorf("its interpreter %q is relative: want an absolute path, or #!/usr/bin/env %s", s.path, filepath.Base(s.path))
	}
	s.args = append([]string{s.path}, s.args...)
	return s, nil
}

// withoutEnv does what env(1) would do: it looks for the interpreter in $PATH.
// Of its options -S alone is understood, and no more of that than words.
func (s shebang) withoutEnv() (shebang, error) {
	if s.path != "/usr/bin/env" && s.path != "/bin/env" || len(s.args) < 2 {
		return s, nil
	}
	words := s.args[1:]
	if rest, ok := strings.CutPrefix(words[0], "-S"); ok {
		words = strings.Fields(rest)
	} else if strings.ContainsAny(words[0], " \t") {
		return s, fmt.Errorf("%s would look for a program named %q: want %s -S %s", s.path, words[0], s.path, words[0])
	}
	for i, w := range words {
		if strings.ContainsAny(w, "\"'\\$#") || i == 0 && (w[0] == '-' || strings.Contains(w, "=")) {
			return s, fmt.Errorf("what %s makes of %q is not known before it runs: want %s NAME, or %s -S NAME and arguments", s.path, s.args[1], s.path, s.path)
		}
	}
	if len(words) == 0 {
		return s, fmt.Errorf("%s is not told what to start: want %s NAME", s.path, s.path)
	}
	path, err := inPath(words[0])
	if err != nil {
		return s, err
	}
	return shebang{path, words}, nil
}

// inPath finds a program as env(1) does in a plugin's process, whose directory
// is the root.
func inPath(name string) (string, error) {
	if strings.Contains(name, "/") {
		return filepath.Join("/", name), nil
	}
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if path, err := exec.LookPath(filepath.Join("/", dir, name)); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("its interpreter %s is in no folder of $PATH: install it, or correct the first line", name)
}

// checkInterpreter refuses an interpreter that somebody else could have put
// there, one that is missing, and one whose own interpreter is such a one.
func checkInterpreter(path, of string, depth int) error {
	if depth == 0 {
		return badScript(of, errors.New("its interpreter is a script whose interpreter is a script, and so on: that is too deep"))
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return missingInterpreter(path, of)
	}
	f, err := openTrusted(path, executable)
	if err != nil {
		return asInterpreter(err, of)
	}
	defer f.Close()
	head := make([]byte, shebangSize)
	n, _ := io.ReadFull(f, head)
	if !bytes.HasPrefix(head[:n], []byte("#!")) {
		return checkLinker(f, path)
	}
	line, err := parseShebang(head[:n])
	if err == nil {
		line, err = line.withoutEnv()
	}
	if err != nil {
		return badScript(path, err)
	}
	return checkInterpreter(line.path, path, depth-1)
}

// checkLinker looks at the dynamic linker of a program, if it needs one.
func checkLinker(f *os.File, of string) error {
	linker, ok := elfInterpreter(f)
	if !ok {
		return nil
	}
	if _, err := os.Stat(linker); errors.Is(err, fs.ErrNotExist) {
		return missingInterpreter(linker, of)
	}
	return asInterpreter(checkTrusted(linker, executable), of)
}

// asInterpreter says what a file is that failed its check.
func asInterpreter(err error, of string) error {
	if err == nil {
		return nil
	}
	e := *spawn.AsError(err)
	e.Op, e.Msg = "interpreter", "of "+of+": "+e.Msg
	return &e
}

func missingInterpreter(path, of string) error {
	return &spawn.Error{Phase: spawn.PhaseStart, Op: "interpreter", Path: path, Errno: syscall.ENOENT,
		Msg: "of " + of + ": install it, or correct what names it"}
}

// checkBinary refuses what is no executable at all, and one that is linked
// dynamically when its linker is missing or somebody else's.
func checkBinary(f *os.File, path string, head []byte) error {
	if runtime.GOOS != "linux" {
		return nil // other systems have other formats
	}
	if !bytes.HasPrefix(head, []byte("\x7fELF")) {
		return &spawn.Error{Phase: spawn.PhaseStart, Op: "plugin", Path: path, Errno: syscall.ENOEXEC,
			Msg: "neither a program (ELF) nor a script that begins with a line like #!/bin/sh"}
	}
	return checkLinker(f, path)
}

func badScript(path string, err error) error {
	return &spawn.Error{Phase: spawn.PhaseStart, Op: "script", Path: path, Errno: syscall.ENOEXEC, Msg: err.Error()}
}
