package host

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// maxFolder is how long the path of a runtime folder may be: a Unix socket's
// path has 108 bytes at most, and plugins put theirs below it.
const maxFolder = 62

// A folder is a host's runtime folder: private to the user, named after the
// process. The keeper removes it at the host's end, whatever that is.
type folder struct {
	path string
	dir  *os.File // the folder itself: tells it from a later one of the same name; closed by remove
}

// makeFolder makes the runtime folder below $XDG_RUNTIME_DIR/hatchery, or
// below a private folder in the temporary one, or in /tmp when that has too
// long a path. The error names every place that was tried and why it was not
// taken.
func makeFolder() (*folder, error) {
	name := strconv.Itoa(os.Getpid()) + "-" + startTime()
	var tried string
	for _, base := range folderBases() {
		path := filepath.Join(base, name)
		err := fits(path)
		if err == nil {
			path, err = makePrivate(base, path)
		}
		if err == nil {
			return openFolder(path)
		}
		tried += "; " + err.Error()
	}
	// Whoever holds the usual names cannot hold this one.
	if path, err := os.MkdirTemp("", "hatchery-"); err == nil && fits(path) == nil {
		return openFolder(path)
	}
	return nil, &spawn.Error{Phase: spawn.PhaseStart, Op: "runtime folder", Msg: "no place for it" + tried}
}

// folderBases returns the places to try, best first.
func folderBases() []string {
	private := "hatchery-" + strconv.Itoa(os.Geteuid())
	var bases []string
	if dir := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) && checkPrivate(dir) == nil {
		bases = append(bases, filepath.Join(dir, "hatchery"))
	}
	if dir := os.TempDir(); filepath.IsAbs(dir) {
		bases = append(bases, filepath.Join(dir, private))
	}
	return append(bases, filepath.Join("/tmp", private))
}

func fits(path string) error {
	// Two hosts of one process have a suffix each.
	if n := len(path) + len("-99"); n > maxFolder {
		return fmt.Errorf("%s: %d bytes, at most %d leave room for a socket's name", path, n, maxFolder)
	}
	return nil
}

// makePrivate makes base, which must be the user's own and closed to others,
// and path in it, with a suffix when this process has a host already. Another
// host can remove an empty base at the same time: then it is made again.
func makePrivate(base, path string) (made string, err error) {
	for n := 1; n < 100; n++ {
		if err := os.Mkdir(base, 0o700); err != nil && !os.IsExist(err) {
			return "", err
		}
		if err = checkPrivate(base); os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return "", err
		}
		made = path
		if n > 1 {
			made += "-" + strconv.Itoa(n)
		}
		err = os.Mkdir(made, 0o700)
		if err == nil || !os.IsNotExist(err) && !os.IsExist(err) {
			return made, err
		}
	}
	return "", err
}

func openFolder(path string) (*folder, error) {
	dir, err := os.Open(path)
	if err != nil {
		os.Remove(path)
		return nil, &spawn.Error{Phase: spawn.PhaseStart, Op: "runtime folder", Err: err}
	}
	return &folder{path: path, dir: dir}, nil
}

// remove removes the folder, and its base when that is empty. Usually the
// keeper has done so, and another host of this process may have taken the name
// since: what is not the same folder is let alone.
func (f *folder) remove() {
	defer f.dir.Close()
	ours, err := f.dir.Stat()
	if err != nil {
		return
	}
	if now, err := os.Lstat(f.path); err == nil && os.SameFile(ours, now) {
		os.RemoveAll(f.path)
		os.Remove(filepath.Dir(f.path))
	}
}
