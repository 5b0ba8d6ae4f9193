package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/hatchery-spawn/hatchery/host/pins"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// binaryPrefix is how the name of every plugin binary begins; the key follows.
const binaryPrefix = "spawn-backend-"

// binarySuffixes are what may follow the key.
func binarySuffixes() []string {
	if runtime.GOOS == "windows" {
		return []string{".exe"}
	}
	return []string{".py", ".sh"}
}

// A finder is one run of Discover.
type finder struct {
	locked  bool // lock files count
	entries []registry.Entry
	skipped []Skipped
	seen    []fs.FileInfo // folders that were looked into
	first   map[registry.SpawnMethodKey]claim
}

// A claim is an executable file whose name says that it serves a method.
type claim struct {
	key     registry.SpawnMethodKey
	path    string
	refused string // why it may not, or empty
}

func (f *finder) skip(path string, key registry.SpawnMethodKey, reason string) {
	f.skipped = append(f.skipped, Skipped{path, key, reason})
}

// folder looks into a folder, in the order of names. One that is reached by
// two names is looked into once.
func (f *finder) folder(dir string) {
	path, err := filepath.Abs(dir)
	if err != nil {
		f.skip(dir, "", err.Error())
		return
	}
	st, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if target, lerr := os.Readlink(path); lerr == nil {
			f.skip(path, "", "a dangling link: there is no "+target)
		}
		return
	case err != nil:
		f.skip(path, "", cause(err))
		return
	case !st.IsDir():
		f.skip(path, "", "not a folder: want one that holds binaries named "+binaryPrefix+"KEY")
		return
	case slices.ContainsFunc(f.seen, func(s fs.FileInfo) bool { return os.SameFile(s, st) }):
		return
	}
	f.seen = append(f.seen, st)
	if err := checkOwner(path); err != nil {
		f.skip(path, "", cause(err))
		return
	}
	files, err := os.ReadDir(path)
	if err != nil {
		f.skip(path, "", cause(err))
	}
	f.settle(path, f.claims(path, files))
}

// claims sorts the files of a folder into those that claim a method and those
// that are skipped for what they are.
func (f *finder) claims(dir string, files []fs.DirEntry) (claims []claim) {
	for _, file := range files {
		path := filepath.Join(dir, file.Name())
		suffix, ok := strings.CutPrefix(file.Name(), binaryPrefix)
		if !ok {
			if file.Name() != pins.FileName {
				f.skip(path, "", "not named "+binaryPrefix+"KEY")
			}
			continue
		}
		for _, ext := range binarySuffixes() {
			suffix = strings.TrimSuffix(suffix, ext)
		}
		key, err := registry.ParseKey(suffix)
		if err != nil {
			f.skip(path, "", cause(err))
			continue
		}
		if st, err := os.Stat(path); err != nil || checkKind(st, executable) != nil || st.Mode().Perm()&0o111 == 0 && runtime.GOOS != "windows" {
			f.skip(path, key, whyNoClaim(path))
			continue
		}
		c := claim{key: key, path: path}
		if err := checkTrusted(path, executable); err != nil {
			c.refused = cause(err)
		}
		claims = append(claims, c)
	}
	return claims
}

// whyNoClaim says what a thing is that nobody could execute.
func whyNoClaim(path string) string {
	if target, err := os.Readlink(path); err == nil {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return "a dangling link: there is no " + target
		}
	}
	return cause(checkTrusted(path, executable))
}

// settle says of each method that is claimed in a folder who serves it.
func (f *finder) settle(dir string, claims []claim) {
	byKey := map[registry.SpawnMethodKey][]string{}
	for _, c := range claims {
		byKey[c.key] = append(byKey[c.key], filepath.Base(c.path))
	}
	lock := new(folderLock)
	if f.locked {
		lock = readLock(dir)
	}
	for _, c := range claims {
		e := registry.Entry{Key: c.key, Path: c.path}
		switch {
		case len(byKey[c.key]) > 1:
			c.refused = fmt.Sprintf("%s claim the method %s, all in this folder: keep one", strings.Join(byKey[c.key], " and "), c.key)
		case c.refused == "":
			c.refused = lock.apply(&e)
		}
		f.take(c, e)
	}
	if lock.err != nil {
		f.skip(filepath.Join(dir, pins.FileName), "", lock.why())
	}
	for _, key := range lock.keys() {
		if len(byKey[key]) == 0 && !slices.ContainsFunc(f.skipped, func(s Skipped) bool { return s.Key == key && filepath.Dir(s.Path) == dir }) {
			f.skip(filepath.Join(dir, binaryPrefix+string(key)), key, lock.missing(key))
		}
	}
}

// take takes or skips a claim. The first folder that has a method decides.
func (f *finder) take(c claim, e registry.Entry) {
	first, taken := f.first[c.key]
	switch {
	case taken && filepath.Dir(first.path) != filepath.Dir(c.path):
		reason := "shadowed by " + first.path + ", whose folder comes first"
		if first.refused != "" {
			reason += ", though it was refused"
		}
		f.skip(c.path, c.key, reason)
		return
	case c.refused != "":
		f.skip(c.path, c.key, c.refused)
	default:
		f.entries = append(f.entries, e)
	}
	f.first[c.key] = c
}

// cause returns the text of err without the path that it is about, which
// stands beside it.
func cause(err error) string {
	var se *spawn.Error
	if errors.As(err, &se) && se.Msg != "" {
		return se.Msg
	}
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}
