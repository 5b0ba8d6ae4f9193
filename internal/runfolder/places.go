package runfolder

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Bases returns the folders in which a user's hosts make their runtime folders,
// best first: below $XDG_RUNTIME_DIR, the temporary folder and /tmp.
func Bases(uid int) []string {
	private := "hatchery-" + strconv.Itoa(uid)
	var bases []string
	if dir := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) && CheckPrivate(dir, uid) == nil {
		bases = append(bases, filepath.Join(dir, "hatchery"))
	}
	if dir := os.TempDir(); filepath.IsAbs(dir) {
		bases = append(bases, filepath.Join(dir, private))
	}
	return append(bases, filepath.Join("/tmp", private))
}

// Places returns the runtime folders that there are in the places where a
// user's hosts of this environment, or of a login, make theirs. Whether they
// are what they look like is for the caller to see. Folders that are not the
// user's own, or not closed to others, are left out.
func Places(uid int) []string {
	bases := append(Bases(uid), filepath.Join("/run/user", strconv.Itoa(uid), "hatchery"))
	seen := map[string]bool{}
	var dirs []string
	add := func(dir string) {
		if !seen[dir] && CheckPrivate(dir, uid) == nil {
			seen[dir] = true
			dirs = append(dirs, dir)
		}
	}
	for _, base := range bases {
		if seen[base] || CheckPrivate(base, uid) != nil {
			continue
		}
		seen[base] = true
		for _, name := range names(base) {
			if _, ok := NamedAfter(name); ok {
				add(filepath.Join(base, name))
			}
		}
	}
	// What a host makes when all of its bases are somebody else's.
	for _, dir := range []string{os.TempDir(), "/tmp"} {
		for _, name := range names(dir) {
			path := filepath.Join(dir, name)
			if strings.HasPrefix(name, "hatchery-") && !seen[path] {
				if _, err := os.Lstat(filepath.Join(path, identityName)); err == nil {
					add(path)
				}
			}
		}
	}
	return dirs
}

func names(dir string) []string {
	d, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer d.Close()
	names, _ := d.Readdirnames(-1)
	return names
}

// NamedAfter returns the process that a runtime folder is named after.
func NamedAfter(name string) (p Process, ok bool) {
	parts := strings.Split(name, "-")
	if len(parts) != 2 && len(parts) != 3 { // a second host of one process has a number
		return p, false
	}
	var err1, err2 error
	p.Pid, err1 = strconv.Atoi(parts[0])
	p.Start, err2 = strconv.ParseUint(parts[1], 10, 64)
	return p, err1 == nil && err2 == nil && p.Pid > 0
}

// Records returns the paths of the keepers' records in a runtime folder: the
// files whose names begin with prefix.
func Records(dir, prefix string) []string {
	var paths []string
	for _, name := range names(dir) {
		if strings.HasPrefix(name, prefix) {
			paths = append(paths, filepath.Join(dir, name))
		}
	}
	return paths
}
