package keeper

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// PlacesPrefix is what the name of the file begins with in which a keeper notes
// where it makes folders for children; its pid follows.
const PlacesPrefix = "places-"

// PlacesPath is where the keeper with this pid notes it.
func PlacesPath(folder string, pid int) string {
	return folder + "/" + PlacesPrefix + strconv.Itoa(pid)
}

// madeMark is what the names of folders begin with that a keeper has made.
func madeMark(pid int, start uint64) string {
	return "hatchery-" + strconv.Itoa(pid) + "-" + strconv.FormatUint(start, 10) + "-"
}

// LeftFolders returns the folders that a keeper has left, which has ended: path is
// that of its notes.
func LeftFolders(path string) (left []string) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	mark, rest, ok := strings.Cut(string(b), "\x00")
	if !ok || !strings.HasPrefix(mark, "hatchery-") {
		return nil
	}
	for place := range strings.SplitSeq(rest, "\x00") {
		entries, err := os.ReadDir(place)
		if place == "" || err != nil {
			continue
		}
		for _, e := range entries {
			if e.IsDir() && strings.HasPrefix(e.Name(), mark) {
				left = append(left, filepath.Join(place, e.Name()))
			}
		}
	}
	return left
}

// RemoveLeft removes the folders that a keeper has left, which has ended, and its
// notes with the last of them. For as long as limit it waits for processes that are
// still on their way out. The error names what is in use.
func RemoveLeft(path string, limit time.Duration) (removed []string, err error) {
	deadline := time.Now().Add(limit)
	for pause := time.Millisecond; ; pause *= 2 {
		err = nil
		for _, dir := range LeftFolders(path) {
			switch rerr := syscall.Rmdir(dir); {
			case rerr == nil:
				removed = append(removed, dir)
			case !errors.Is(rerr, fs.ErrNotExist):
				err = &os.PathError{Op: "rmdir", Path: dir, Err: rerr}
			}
		}
		if err == nil {
			os.Remove(path)
			return removed, nil
		}
		if time.Now().Add(pause).After(deadline) {
			return removed, err
		}
		<-time.After(pause) // that a control group is empty is no event in version 1
	}
}
