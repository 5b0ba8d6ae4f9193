package host

import (
	"bufio"
	"cmp"
	"debug/elf"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// resolve finds the program of a Spec as package os/exec does: a name without
// a slash is looked up in the host's $PATH, and one that is found by way of
// the current directory is refused (exec.ErrDot).
func resolve(spec *spawn.Spec) error {
	if filepath.Base(spec.Path) != spec.Path {
		return nil
	}
	args := spec.Argv()
	path, err := exec.LookPath(spec.Path)
	if err != nil {
		var ee *exec.Error
		if errors.As(err, &ee) {
			return &spawn.Error{Phase: spawn.PhaseResolve, Path: spec.Path, Err: ee.Err, Msg: lookupHint(ee)}
		}
		return &spawn.Error{Phase: spawn.PhaseResolve, Path: spec.Path, Err: err}
	}
	spec.Path, spec.Args = path, args
	return nil
}

func lookupHint(err *exec.Error) string {
	if errors.Is(err, exec.ErrNotFound) && os.Getenv("PATH") == "" {
		return "$PATH is empty"
	}
	return ""
}

const (
	// maxStrings is the most that execve(2) takes of arguments and
	// environment together, whatever the limit of the stack: three quarters
	// of its default, 8 MiB.
	maxStrings  = 6 << 20
	tooLongText = "arguments and environment together are larger than the kernel takes, or one string is over 128 KiB"
)

// checkLength refuses what no execve could take, before it is carried about.
func checkLength(spec *spawn.Spec) error {
	total := 0
	for _, list := range [][]string{spec.Args, spec.Env} {
		for _, s := range list {
			total += len(s) + 1
		}
	}
	if total <= maxStrings {
		return nil
	}
	return &spawn.Error{Phase: spawn.PhaseExec, Op: "exec", Path: spec.Path, Errno: syscall.E2BIG, Msg: tooLongText}
}

// explainExec adds to the error of a failed exec what the kernel's number
// does not say: that it is not the program but its interpreter that is
// missing or broken, or what is closed to the user of the child.
func explainExec(err error, spec *spawn.Spec) error {
	var e *spawn.Error
	if !errors.As(err, &e) || e.Phase != spawn.PhaseExec {
		return err
	}
	path := spec.Path
	if !filepath.IsAbs(path) && spec.Dir != "" {
		path = filepath.Join(spec.Dir, path)
	}
	out := *e
	switch e.Errno {
	case syscall.ENOENT, syscall.EACCES:
		out.Msg = cmp.Or(explainMissing(path, e.Errno, spec.Credential), e.Msg)
	case syscall.ENOEXEC:
		out.Msg = "neither a program of this machine nor a script with a #! line"
	case syscall.E2BIG:
		out.Msg = tooLongText
	}
	return &out
}

// explainMissing says what is missing or closed of a program and its interpreter.
func explainMissing(path string, errno syscall.Errno, who *spawn.Credential) string {
	if errno == syscall.EACCES {
		if why := denied(path, who); why != "" {
			return why
		}
	}
	interp, ok := interpreter(path)
	if !ok {
		return ""
	}
	if _, err := os.Stat(interp); err != nil {
		return "the file is there, but its interpreter is not: " + interp
	}
	if errno == syscall.EACCES {
		if why := denied(interp, who); why != "" {
			return "its interpreter is " + interp + ", and " + why
		}
	}
	return ""
}

// interpreter returns what the kernel would execute to run the file: the
// program of its #! line or the dynamic linker of an ELF file.
func interpreter(path string) (string, bool) {
	// Looked at before it is opened: a FIFO would wait for its other end.
	// One that nobody may execute fails for that, whatever its interpreter is.
	if st, err := os.Stat(path); err != nil || !st.Mode().IsRegular() || st.Mode().Perm()&0o111 == 0 {
		return "", false
	}
	f, err := os.OpenFile(path, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return "", false
	}
	defer f.Close()
	line, err := bufio.NewReaderSize(f, 512).ReadSlice('\n')
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, bufio.ErrBufferFull) {
		if script, ok := strings.CutPrefix(string(line), "#!"); ok {
			name := strings.Fields(script)
			if len(name) == 0 {
				return "", false
			}
			return name[0], true
		}
	}
	return elfInterpreter(f)
}

func elfInterpreter(r io.ReaderAt) (string, bool) {
	f, err := elf.NewFile(r)
	if err != nil {
		return "", false
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP && p.Filesz < 4096 {
			b, err := io.ReadAll(p.Open())
			return strings.TrimRight(string(b), "\x00"), err == nil && len(b) > 0
		}
	}
	return "", false
}
