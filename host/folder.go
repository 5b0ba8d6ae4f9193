package host

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/hatchery-spawn/hatchery/internal/runfolder"
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

	notes    sync.WaitGroup // writers of the identity; remove waits for them
	mu       sync.Mutex
	identity runfolder.Identity // as it was written last
}

// makeFolder makes the runtime folder below $XDG_RUNTIME_DIR/hatchery, or
// below a private folder in the temporary one, or in /tmp when that has too
// long a path. The error names every place that was tried and why it was not
// taken.
func makeFolder() (*folder, error) {
	self, _ := runfolder.ProcessOf(os.Getpid())
	name := strconv.Itoa(self.Pid) + "-" + strconv.FormatUint(self.Start, 10)
	var tried string
	for _, base := range runfolder.Bases(os.Geteuid()) {
		path := filepath.Join(base, name)
		err := fits(path)
		if err == nil {
			path, err = makePrivate(base, path)
		}
		if err == nil {
			return openFolder(path)
		}
		if why := "; " + err.Error(); !strings.HasSuffix(tried, why) { // $TMPDIR may be /tmp
			tried += why
		}
	}
	// Whoever holds the usual names cannot hold this one.
	if path, err := os.MkdirTemp("", "hatchery-"); err == nil {
		if fits(path) == nil && os.Chmod(path, 0o700) == nil {
			return openFolder(path)
		}
		os.Remove(path)
	}
	return nil, &spawn.Error{Phase: spawn.PhaseStart, Op: "runtime folder", Msg: "no place for it: set $XDG_RUNTIME_DIR or $TMPDIR to a folder that can be written to" + tried}
}

// Folder returns the host's runtime folder, which is the user's own and closed to
// others. What the program puts there goes with the host, however that ends.
func (h *Host) Folder() string { return h.folder.path }

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
		if err := mkdirPrivate(base); err != nil && !os.IsExist(err) {
			return "", err
		}
		if err = runfolder.CheckPrivate(base, os.Geteuid()); os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return "", err
		}
		made = path
		if n > 1 {
			made += "-" + strconv.Itoa(n)
		}
		err = mkdirPrivate(made)
		if err == nil || !os.IsNotExist(err) && !os.IsExist(err) {
			return made, err
		}
	}
	return "", err
}

// mkdirPrivate makes a folder for this user alone, whatever the umask is: one
// that takes the owner's rights away would close the folder to its maker.
func mkdirPrivate(path string) error {
	if err := os.Mkdir(path, 0o700); err != nil {
		return err
	}
	// One that another host has removed meanwhile is the caller's affair.
	if err := os.Chmod(path, 0o700); !os.IsNotExist(err) {
		return err
	}
	return nil
}

// maxKeepers is how many keepers are noted before those that have ended are
// forgotten.
const maxKeepers = 16

// kept notes that the host has a keeper, or one more. It does so beside the
// caller: files take their time. Where that cannot be written, a disk being
// full, the host is none the worse: only what is left of one that was killed
// cannot be told from strangers.
func (f *folder) kept(pid int) {
	f.notes.Go(func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		id := &f.identity
		if id.Version == 0 {
			*id = runfolder.New()
		}
		if len(id.Keepers) >= maxKeepers {
			id.Keepers = slices.DeleteFunc(id.Keepers, func(k runfolder.Process) bool { return !k.Alive() })
		}
		keeper, _ := runfolder.ProcessOf(pid)
		id.Keepers = append(id.Keepers, keeper)
		id.Write(f.path)
	})
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
	f.notes.Wait()
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
