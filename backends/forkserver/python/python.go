package python

import (
	_ "embed"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/hatchery-spawn/hatchery/sdk"
	"github.com/hatchery-spawn/hatchery/spawn"
)

//go:embed zygote.py
var adapter string

// sourceVariable carries the adapter to the template. It is too long for a
// command line that people look at.
const sourceVariable = "HATCHERY_ZYGOTE_SOURCE"

// bootstrap is the template's program. It leaves no name behind in __main__.
const bootstrap = `exec(compile(__import__("os").environ.pop("` + sourceVariable + `"), "<hatchery>", "exec"), {"__name__": "hatchery"})`

// A Boot says how a template is started: by the child's own program, with
// these arguments and this environment.
type Boot struct {
	// Args is the argument list, Args[0] as the child's.
	Args []string
	// Env is the environment: "NAME=value" is a constant, "NAME" stands for
	// the child's own value if it has one, "NAME*" for all variables of the
	// child whose names begin so.
	Env []string
	// Here says that it is started in the child's working directory, because
	// it depends on that which interpreter it is or where it finds modules.
	Here bool
}

// Recognize says how to start a template that can serve s, with the named
// modules imported ahead. If s is a Python program that cannot be served warm,
// why says so in words; for what is no Python program at all, why is empty and
// so is the Boot. What it looks at besides s it notes in basis.
func Recognize(s *spawn.Spec, preload []string, basis *spawn.Basis) (boot Boot, why string) {
	minor, ok := interpreter(s.Path)
	if !ok {
		return Boot{}, ""
	}
	if minor >= 0 && minor < 9 {
		return Boot{}, fmt.Sprintf("python 3.%d: 3.9 or later is needed", minor)
	}
	path, why := where(s)
	if why != "" {
		return Boot{}, why
	}
	path = find(path, basis)
	chosen, why := shim(path, s.Env, basis)
	if why != "" {
		return Boot{}, why
	}
	for _, m := range preload {
		if m == "" || strings.ContainsAny(m, "-/ \t\n\x00") {
			return Boot{}, fmt.Sprintf("preload: %q is not the name of a module", m)
		}
	}
	relative, why := environment(s.Env, basis)
	if why != "" {
		return Boot{}, why
	}
	argv := s.Argv()
	options, words, why := options(argv[1:])
	if why != "" {
		return Boot{}, why
	}
	if words > 0 && len(s.Args) > 0 {
		basis.Args = uint32(1 + words)
	}
	boot.Args = append(append(append([]string{argv[0]}, options...), "-c", bootstrap), preload...)
	boot.Env = append(inherited(), sourceVariable+"="+adapter)
	if chosen {
		boot.Env = append(boot.Env, shimmed()...)
		boot.Env = append(boot.Env, shimVariable+"="+strings.Join(shimmed(), " "))
	}
	if venv := environmentOf(path, basis); venv != "" {
		boot.Env = append(boot.Env, venvVariable+"="+venv)
	}
	boot.Here = chosen || relative || strings.Contains(s.Path, "/") && !filepath.IsAbs(s.Path)
	return boot, ""
}

// where returns the path of the program from the root, or why that is not known.
func where(s *spawn.Spec) (path, why string) {
	switch {
	case filepath.IsAbs(s.Path) || !strings.Contains(s.Path, "/"):
		return s.Path, ""
	case !filepath.IsAbs(s.Dir):
		return "", "the path of the interpreter is relative, and the child's directory is not named: give one of the two from the root"
	}
	return filepath.Join(s.Dir, s.Path), ""
}

// find looks the program up. It returns nothing where it has no path from the root:
// starting it will say what is wrong.
func find(path string, basis *spawn.Basis) string {
	found, err := sdk.LookPath(basis, path)
	switch {
	case err == nil && filepath.IsAbs(found):
		return found
	case filepath.IsAbs(path):
		return path
	}
	return ""
}

// interpreter reports whether path has the name of a Python interpreter, and
// the minor version in it, or -1.
func interpreter(path string) (minor int, ok bool) {
	version, ok := strings.CutPrefix(filepath.Base(path), "python")
	if !ok {
		return 0, false
	}
	if version == "" || version == "3" {
		return -1, true
	}
	text, ok := strings.CutPrefix(version, "3.")
	if !ok {
		return 0, false
	}
	minor, err := strconv.Atoi(text)
	return minor, err == nil && minor >= 0
}

// inherited names what an interpreter and its C library read before the first
// line of a program: HOME decides on the user's packages, PATH on
// sys.executable.
func inherited() []string {
	return []string{
		"PYTHON*", "HOME", "PATH", "TZ", "TZDIR",
		"LC_*", "LANG", "LOCPATH", "GCONV_PATH",
		"LD_*", "MALLOC_*", "GLIBC_TUNABLES", "OPENSSL_*",
	}
}

// watched names the variables that concern the start of the interpreter itself.
func watched() []string {
	return []string{
		"PYTHONINSPECT", "PYTHONVERBOSE", "PYTHONDEBUG", "PYTHONPROFILEIMPORTTIME",
		"PYTHONDUMPREFS", "PYTHONPERFSUPPORT", "PYTHON_PERF_JIT_SUPPORT",
	}
}

// environment says why a child with the environment env cannot be served, and
// whether the interpreter's start depends on where it is.
func environment(env []string, basis *spawn.Basis) (here bool, why string) {
	value := values(env, basis)
	for _, name := range watched() {
		if value(name) != "" {
			return false, name + " is set, which concerns the start of the interpreter itself"
		}
	}
	path := value("PYTHONPATH")
	return path != "" && slices.ContainsFunc(filepath.SplitList(path), func(dir string) bool { return !filepath.IsAbs(dir) }), ""
}

// values returns what tells the values of variables in env, or where that is nil in
// the environment of the caller.
func values(env []string, basis *spawn.Basis) func(name string) string {
	if env == nil {
		return basis.Getenv
	}
	return func(name string) (value string) {
		for _, e := range env {
			if n, v, _ := strings.Cut(e, "="); n == name && v != "" {
				value = v
			}
		}
		return value
	}
}
