package python

import (
	"bytes"
	"io"
	"os"
	"strings"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// shimVariable tells the adapter that a script has chosen the interpreter, and
// which variables such a script may have changed on the way.
const shimVariable = "HATCHERY_ZYGOTE_SHIM"

// shimmed names what the shims of pyenv read and write. A template whose
// variables of these names are the child's own is started by the shim itself, in the
// child's directory: it chooses as it would for the child, and what it has made
// of the variables is what it would make of them.
func shimmed() []string {
	return []string{"PATH", "_", "PWD", "OLDPWD", "SHLVL", "PYENV_*", "_PYENV_*"}
}

// maxShim bounds what is read of a script, in bytes.
const maxShim = 4 << 10

// shim reports whether the program at path is a script of pyenv that chooses an
// interpreter, https://github.com/pyenv/pyenv#understanding-shims. If it is any
// other script, why says that it cannot be a template. What it is that stands there
// has been noted in basis already; without a path there is nothing.
func shim(path string, env []string, basis *spawn.Basis) (ok bool, why string) {
	if path == "" {
		return false, ""
	}
	f, err := os.Open(path)
	if err != nil {
		return false, ""
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxShim))
	switch {
	case err != nil || !bytes.HasPrefix(text, []byte("#!")):
		return false, ""
	case !isPyenv(string(text)):
		return false, path + " is a script that chooses an interpreter: name the interpreter itself"
	case bytes.Contains(text, []byte("PYENV_FILE_ARG")):
		return false, path + " is a script of an old pyenv, which chooses an interpreter by the arguments: name the interpreter itself"
	}
	value := values(env, basis)
	for _, name := range []string{"BASH_ENV", "BASHOPTS", "SHELLOPTS", "PYENV_DEBUG"} {
		if value(name) != "" {
			return false, name + " is set, which concerns the script that chooses the interpreter"
		}
	}
	return true, ""
}

// isPyenv reports whether text ends as the scripts do that pyenv-rehash writes.
func isPyenv(text string) bool {
	text = strings.TrimRight(text, "\n")
	last := text[strings.LastIndexByte(text, '\n')+1:]
	return strings.HasPrefix(last, `exec "`) && strings.HasSuffix(last, `/pyenv" exec "$program" "$@"`)
}
