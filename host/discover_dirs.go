package host

import "path/filepath"

// BackendPathVariable is the environment variable with further backend
// folders, separated as in $PATH.
const BackendPathVariable = "HATCHERY_BACKEND_PATH"

// BackendDirs returns where to look for plugin binaries, in order of
// precedence: the folders of a flag, those of $HATCHERY_BACKEND_PATH,
// $XDG_DATA_HOME/hatchery/backends (by default below ~/.local/share), and
// /usr/local/lib/hatchery/backends. env is os.Getenv, or what stands for it.
//
// An empty element of the variable is no folder, in particular not the
// current one; a relative $XDG_DATA_HOME is ignored, as its specification
// wants it.
func BackendDirs(flag []string, env func(string) string) []string {
	var dirs []string
	for _, dir := range append(flag[:len(flag):len(flag)], filepath.SplitList(env(BackendPathVariable))...) {
		if dir != "" {
			dirs = append(dirs, dir)
		}
	}
	data := env("XDG_DATA_HOME")
	if home := env("HOME"); !filepath.IsAbs(data) && filepath.IsAbs(home) {
		data = filepath.Join(home, ".local", "share")
	}
	if filepath.IsAbs(data) {
		dirs = append(dirs, filepath.Join(data, "hatchery", "backends"))
	}
	return append(dirs, "/usr/local/lib/hatchery/backends")
}
