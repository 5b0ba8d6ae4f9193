package host

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/hatchery-spawn/hatchery/host/pins"
	"github.com/hatchery-spawn/hatchery/registry"
)

// A folderLock is the lock file of a folder. Without a file it allows
// everything; with an error nothing.
type folderLock struct {
	path string
	lock *pins.Lock // nil when there is none, or an error
	err  error
}

// ReadLock reads the lock file of a folder, after the checks that a plugin
// binary has to pass as well. It is empty when there is none. The error is a
// *spawn.Error of kind spawn.ErrUntrusted, or a *pins.SyntaxError.
func ReadLock(dir string) (*pins.Lock, error) {
	l := readLock(dir)
	if l.lock == nil && l.err == nil {
		return new(pins.Lock), nil
	}
	return l.lock, l.err
}

func readLock(dir string) *folderLock {
	l := &folderLock{path: filepath.Join(dir, pins.FileName)}
	if _, err := os.Lstat(l.path); errors.Is(err, fs.ErrNotExist) {
		return l
	}
	f, err := openTrusted(l.path, readable)
	if err != nil {
		l.err = err
		return l
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, pins.MaxSize+1))
	switch {
	case err != nil:
		l.err = readError(l.path, err)
	case len(text) > pins.MaxSize:
		l.err = untrusted(l.path, fmt.Sprintf("it is larger than a lock file can be (%d KiB)", pins.MaxSize>>10))
	default:
		l.lock, l.err = pins.Parse(l.path, text)
	}
	return l
}

// why says what is wrong with the file.
func (l *folderLock) why() string {
	var se *pins.SyntaxError
	if errors.As(l.err, &se) {
		return fmt.Sprintf("line %d: %s", se.Line, se.Msg)
	}
	return cause(l.err)
}

// apply puts into an entry what the file says of it. It returns why the binary
// may not be used, or nothing.
func (l *folderLock) apply(e *registry.Entry) (refused string) {
	var se *pins.SyntaxError
	switch {
	case errors.As(l.err, &se):
		return "the lock file of its folder cannot be understood: " + se.Error()
	case l.err != nil:
		return "the lock file of its folder cannot be used: " + l.path + ": " + cause(l.err)
	case l.lock == nil:
		return ""
	}
	platform := runtime.GOOS + "/" + runtime.GOARCH
	pin, ok := l.lock.Pin(e.Key, platform)
	switch all := l.lock.Pins(e.Key); {
	case ok:
		e.Pin, e.PinnedBy = registry.Pin(pin.Value), l.at(pin)
	case len(all) > 0:
		return fmt.Sprintf("%s pins it for %s and not for %s; to pin it, run: %s",
			l.at(all[0]), platforms(all), platform, lockCommand(filepath.Dir(l.path), e.Key))
	}
	text := func(name string) string {
		f, _ := l.lock.Get(e.Key, name)
		return f.Value
	}
	e.Status, e.Summary = registry.Status(text(pins.Status)), text(pins.Summary)
	e.Reason, e.Alternative = text(pins.Reason), text(pins.Alternative)
	e.Analysis, e.Scenario = text(pins.Analysis), text(pins.Scenario)
	if _, err := registry.New(*e); err != nil {
		f, _ := l.lock.Get(e.Key, pins.Status)
		return l.at(f) + ": " + err.Error()
	}
	return ""
}

// at is where a fact stands.
func (l *folderLock) at(f pins.Fact) string { return fmt.Sprintf("%s:%d", l.path, f.Line) }

func platforms(all []pins.Fact) string {
	var names []string
	for _, f := range all {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}

// keys returns the methods that the file says something about.
func (l *folderLock) keys() []registry.SpawnMethodKey {
	if l.lock == nil {
		return nil
	}
	return l.lock.Keys()
}

// missing says where a method is named that nothing in the folder serves.
func (l *folderLock) missing(key registry.SpawnMethodKey) string {
	for _, f := range l.lock.Facts() {
		if f.Key == key {
			return fmt.Sprintf("not there, though %s names it: put it there, or run: hatchery backend lock --prune --backend-dir %s",
				l.at(f), shellWord(filepath.Dir(l.path)))
		}
	}
	return ""
}
