package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// binaryPrefix is how the name of every plugin binary begins; the key follows.
const binaryPrefix = "spawn-backend-"

// Skipped is something in a backend folder, or a whole folder, that was not
// taken for a backend.
type Skipped struct {
	Path   string // absolute
	Reason string // what is wrong, and what would be right
}

// Discover looks for plugin binaries in the given folders, the first of which
// has precedence: executable regular files, or links to such, by the name
// spawn-backend-KEY. Everything else that lies there is reported, each thing
// once and with its reason, and so are a file or a whole folder that somebody
// else can write to, and a file whose key an earlier folder has. A folder that
// does not exist is passed over, as in $PATH.
//
// Nothing is executed, and nothing but metadata is read: what a binary serves
// is not known before it is asked, so an Entry has neither Status nor Summary.
// The binary is checked again before it is executed.
func Discover(dirs []string) (entries []registry.Entry, skipped []Skipped) {
	f := finder{first: map[registry.SpawnMethodKey]string{}}
	for _, dir := range dirs {
		f.folder(dir)
	}
	return f.entries, f.skipped
}

// Extend adds to r what Discover finds in the folders, and returns what was
// skipped. A key that r has already stays what it is, a built-in method above
// all: the binary that claims it is skipped too.
func Extend(r *registry.Registry, dirs []string) []Skipped {
	entries, skipped := Discover(dirs)
	for _, e := range entries {
		err := r.Add(e)
		var dup *registry.DuplicateError
		switch {
		case errors.As(err, &dup):
			skipped = append(skipped, Skipped{e.Path, fmt.Sprintf("the key %s is taken (%s): rename the file", e.Key, dup.First.Source())})
		case err != nil:
			skipped = append(skipped, Skipped{e.Path, err.Error()})
		}
	}
	return skipped
}

// A finder is one run of Discover.
type finder struct {
	entries []registry.Entry
	skipped []Skipped
	seen    []fs.FileInfo                      // folders that were looked into
	first   map[registry.SpawnMethodKey]string // the binary of each key
}

func (f *finder) skip(path, reason string) { f.skipped = append(f.skipped, Skipped{path, reason}) }

// folder looks into a folder, in the order of names. One that is reached by
// two names is looked into once.
func (f *finder) folder(dir string) {
	path, err := filepath.Abs(dir)
	if err != nil {
		f.skip(dir, err.Error())
		return
	}
	st, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return
	case err != nil:
		f.skip(path, cause(err))
		return
	case !st.IsDir():
		f.skip(path, "not a folder: want one that holds binaries named "+binaryPrefix+"KEY")
		return
	case slices.ContainsFunc(f.seen, func(s fs.FileInfo) bool { return os.SameFile(s, st) }):
		return
	}
	f.seen = append(f.seen, st)
	if err := checkOwner(path); err != nil {
		f.skip(path, cause(err))
		return
	}
	files, err := os.ReadDir(path)
	if err != nil {
		f.skip(path, cause(err))
	}
	for _, file := range files {
		f.file(filepath.Join(path, file.Name()), file.Name())
	}
}

// file takes or skips one file.
func (f *finder) file(path, name string) {
	suffix, ok := strings.CutPrefix(name, binaryPrefix)
	if !ok {
		f.skip(path, "not named "+binaryPrefix+"KEY")
		return
	}
	key, err := registry.ParseKey(suffix)
	if err == nil {
		err = checkKind(path)
	}
	if err == nil {
		err = checkPluginFile(path)
	}
	switch first := f.first[key]; {
	case err != nil:
		f.skip(path, cause(err))
	case first != "":
		f.skip(path, "shadowed by "+first+", whose folder comes first")
	default:
		f.first[key] = path
		f.entries = append(f.entries, registry.Entry{Key: key, Path: path})
	}
}

// checkKind says what a thing is that is no regular file with a content. It
// does not open it: a FIFO would block.
func checkKind(path string) error {
	st, err := os.Stat(path)
	if err != nil {
		target, lerr := os.Readlink(path)
		if lerr == nil && errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("a dangling link: there is no %s", target)
		}
		return err
	}
	switch mode := st.Mode(); {
	case mode.IsDir():
		return errors.New("a folder: want an executable file")
	case mode&fs.ModeNamedPipe != 0:
		return errors.New("a FIFO: want an executable file")
	case mode&fs.ModeSocket != 0:
		return errors.New("a socket: want an executable file")
	case !mode.IsRegular():
		return fmt.Errorf("mode %v: want an executable file", mode)
	case st.Size() == 0:
		return errors.New("an empty file: want an executable one")
	}
	return nil
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
