package backendtest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/hatchery-spawn/hatchery/spawn"
)

func errorCases() []Case {
	return []Case{{
		Name: "error-program",
		Doc: "A program that is missing, not executable, a folder, no program at all (ENOEXEC), behind a loop of links, behind a file " +
			"that is no folder, or a script whose interpreter is missing: the error is what a direct exec gives, to errors.Is, names the " +
			"path, and says that it happened in the phase resolve or exec. No child is left.",
		Needs: []Ability{Programs, Local},
		Run:   errorProgram,
	}, {
		Name: "error-directory",
		Doc: "A working directory that is missing or no folder, or that the child may not enter: the error is what os/exec gives, to " +
			"errors.Is, and names the directory. A missing directory is not a missing program: the phase is not exec.",
		Needs: []Ability{Programs, Local, Directory},
		Run:   errorDirectory,
	}, {
		Name: "error-arguments",
		Doc: "One argument of 131 071 bytes works and one of 131 072 is E2BIG; 1.9 MiB, 3 MiB and 6 MiB in all work or are E2BIG as with a " +
			"direct exec. A NUL byte in an argument or a variable is EINVAL before anything is started.",
		Needs: []Ability{Programs, Local},
		Run:   errorArguments,
	}}
}

func errorProgram(t T, e *Env) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	writeFile(t, at("plain"), "#!/bin/sh\n", 0o644)
	writeFile(t, at("noise"), "\x01\x02 neither program nor script", 0o755)
	writeFile(t, at("orphan"), "#!/no/such/interpreter\n", 0o755)
	if err := errors.Join(os.Mkdir(at("folder"), 0o755), os.Symlink("loop", at("loop"))); err != nil {
		t.Fatalf("%v", err)
	}
	for name, path := range map[string]string{
		"a missing program":               at("missing"),
		"a name that is nowhere in $PATH": "backendtest-no-such-program",
		"a file that is not executable":   at("plain"),
		"a folder":                        at("folder"),
		"a file that is no program":       at("noise"),
		"a loop of links":                 at("loop"),
		"a program below a file":          at("plain/x"),
		"a missing interpreter":           at("orphan"),
	} {
		err := e.refused(t, name, spawn.Spec{Path: path})
		if err == nil {
			continue
		}
		asDirect(t, name, err, exec.Command(path).Start())
		se := spawn.AsError(err)
		if se.Phase != spawn.PhaseExec && se.Phase != spawn.PhaseResolve {
			t.Errorf("%s: the phase is %q, want resolve or exec: %v", name, se.Phase, err)
		}
		if !strings.Contains(err.Error(), path) {
			t.Errorf("%s: the error does not name %s: %v", name, path, err)
		}
	}
}

// asDirect holds that an error is, to errors.Is, the one that os/exec gave.
func asDirect(t T, what string, err, direct error) {
	t.Helper()
	var errno syscall.Errno
	switch {
	case direct == nil:
		t.Fatalf("%s: os/exec starts it, so the case proves nothing", what)
	case errors.As(direct, &errno):
		if !errors.Is(err, errno) {
			t.Errorf("%s: want %v (%d), as os/exec has it, got: %v", what, errno, int(errno), err)
		}
	case errors.Is(direct, exec.ErrNotFound) && !errors.Is(err, exec.ErrNotFound):
		t.Errorf("%s: want exec.ErrNotFound, as os/exec has it, got: %v", what, err)
	}
}

func errorDirectory(t T, e *Env) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	writeFile(t, at("file"), "", 0o644)
	if err := os.Mkdir(at("closed"), 0); err != nil {
		t.Fatalf("%v", err)
	}
	var stranger *spawn.Credential // who may not enter a closed folder, unlike root
	switch {
	case os.Geteuid() != 0:
	case e.Has(Credentials):
		stranger = &spawn.Credential{UID: 65534, GID: 65534}
	}
	for name, spec := range map[string]spawn.Spec{
		"a missing directory":   {Dir: at("missing")},
		"a file as directory":   {Dir: at("file")},
		"a forbidden directory": {Dir: at("closed"), Credential: stranger},
	} {
		if strings.Contains(name, "forbidden") && os.Geteuid() == 0 && stranger == nil {
			t.Logf("not tried, as root may enter every directory: %s", name)
			continue
		}
		spec.Path, spec.Args = "/bin/sh", []string{"sh", "-c", ":"}
		err := e.refused(t, name, spec)
		if err == nil {
			continue
		}
		direct := exec.Command("/bin/sh", "-c", ":")
		direct.Dir = spec.Dir
		if stranger != nil && spec.Credential != nil {
			direct.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: stranger.UID, Gid: stranger.GID}}
		}
		asDirect(t, name, err, direct.Start())
		if se := spawn.AsError(err); se.Phase == spawn.PhaseExec || se.Path != spec.Dir {
			t.Errorf("%s: phase %q, path %q: want the path %q and another phase than exec: %v", name, se.Phase, se.Path, spec.Dir, err)
		}
	}
}

func errorArguments(t T, e *Env) {
	const longest = 128<<10 - 1 // MAX_ARG_STRLEN, with the NUL
	for name, args := range map[string][]string{
		"an argument of 131 071 bytes": {strings.Repeat("x", longest)},
		"an argument of 131 072 bytes": {strings.Repeat("x", longest+1)},
		"1.9 MiB of arguments":         hundredKB(19),
		"3 MiB of arguments":           hundredKB(31),
		"6 MiB of arguments":           hundredKB(62),
	} {
		direct := exec.Command("/bin/sh", append([]string{"-c", ":", "sh"}, args...)...)
		direct.Env = []string{}
		want := direct.Run()
		spec := sh(":", args...)
		spec.Env = []string{}
		if want == nil {
			if s := e.run(t, name, spec); !s.Success() {
				t.Errorf("%s: %v", name, s)
			}
			continue
		}
		// Megabytes take their time on a busy machine.
		if err := e.refusedWithin(t, patience, name, spec); err != nil {
			asDirect(t, name, err, want)
		}
	}
	nul := sh(":", "a\x00b")
	variable := sh(":")
	variable.Env = []string{"A=b\x00c"}
	for name, spec := range map[string]spawn.Spec{"a NUL byte in an argument": nul, "a NUL byte in a variable": variable} {
		if err := e.refused(t, name, spec); err != nil && !errors.Is(err, syscall.EINVAL) {
			t.Errorf("%s: want EINVAL, got: %v", name, err)
		}
	}
}

// hundredKB returns n arguments of 100 KB each.
func hundredKB(n int) []string {
	args := make([]string, n)
	for i := range args {
		args[i] = strings.Repeat("y", 100<<10)
	}
	return args
}

func writeFile(t T, path, text string, mode os.FileMode) {
	t.Helper()
	err := os.WriteFile(path, []byte(text), mode)
	if err == nil {
		err = os.Chmod(path, mode) // whatever the umask is
	}
	if err != nil {
		t.Fatalf("%v", err)
	}
}
