package host

import (
	"errors"
	"fmt"

	"github.com/hatchery-spawn/hatchery/registry"
)

// Skipped is something in a backend folder, or a whole folder, that was not
// taken for a backend.
type Skipped struct {
	Path   string                  // absolute
	Key    registry.SpawnMethodKey // the method that it claims by its name, if any
	Reason string                  // what is wrong, and what would be right
}

// Discover looks for plugin binaries in the given folders, the first of which
// has precedence: executable regular files, or links to such, by the name
// spawn-backend-KEY, or spawn-backend-KEY.py and the like for scripts (.exe on
// Windows). Everything else that lies there is reported, each thing once and
// with its reason. So are
//
//   - a file or a whole folder that somebody else can write to, and a file
//     that is setuid or setgid, since nobody but root could stop its process;
//   - files of one folder that claim one key, all of them;
//   - a file whose key an earlier folder has, even if it was refused there:
//     that one binary stands in for another is never an accident;
//   - what the folder's lock file (see package pins) does not allow, and a
//     method that it knows whose binary is missing. A lock file that cannot be
//     trusted or understood allows nothing.
//
// A folder that does not exist is passed over, as in $PATH.
//
// Nothing is executed. Of a binary nothing but metadata is read: an Entry has
// the Status, Summary and Pin that the lock file gives it, and none where it
// gives none. The binary is checked again before it is executed, its checksum
// included.
func Discover(dirs []string) (entries []registry.Entry, skipped []Skipped) {
	f := finder{locked: true, first: map[registry.SpawnMethodKey]claim{}}
	for _, dir := range dirs {
		f.folder(dir)
	}
	return f.entries, f.skipped
}

// DiscoverUnpinned is Discover of one folder without regard to its lock file:
// for who is about to write it.
func DiscoverUnpinned(dir string) (entries []registry.Entry, skipped []Skipped) {
	f := finder{first: map[registry.SpawnMethodKey]claim{}}
	f.folder(dir)
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
			skipped = append(skipped, Skipped{e.Path, e.Key, fmt.Sprintf("the key %s is taken (%s): rename the file", e.Key, dup.First.Source())})
		case err != nil:
			skipped = append(skipped, Skipped{e.Path, e.Key, err.Error()})
		}
	}
	return skipped
}
