package python

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// venvVariable tells templates apart whose interpreter has stood in another virtual
// environment, or in none. The adapter has no use for it.
const venvVariable = "HATCHERY_ZYGOTE_VENV"

// environmentOf says which virtual environment the interpreter at path is of, or
// nothing if it is of none. The interpreter finds that by a file beside it or in
// the folder above: https://docs.python.org/3/library/site.html.
func environmentOf(path string, basis *spawn.Basis) string {
	if path == "" {
		return ""
	}
	var found []string
	dir := filepath.Dir(path)
	for _, dir := range []string{dir, filepath.Dir(dir)} {
		basis.Stat(filepath.Join(dir, "pyvenv.cfg"))
		if f := basis.Files[len(basis.Files)-1]; f.Found {
			found = append(found, fmt.Sprintf("%s:%d:%d:%d:%d:%d", f.Path, f.Device, f.Inode, f.Size, f.Modified, f.Changed))
		}
	}
	return strings.Join(found, " ")
}
