//go:build linux && (amd64 || arm64)

package launch

import (
	"errors"
	"os"
	"strconv"
	"syscall"
	"testing"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// TestKeepersSteps: the child walks past the steps that are not its own, and finds
// a folder that was made for it, whatever numbers it hands out.
func TestKeepersSteps(t *testing.T) {
	f := newFixture(t)
	dir := t.TempDir()
	fd, err := syscall.Open(dir, syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	r := shell("cat /proc/self/fd/60/f; test -e /proc/self/fd/"+strconv.Itoa(fd)+" && echo open",
		spawn.Folder(dir), spawn.Wall(1),
		spawn.OpenAt(spawn.Result(1), spawn.Str("f"), os.O_WRONLY|os.O_CREATE, 0o600, 0), spawn.Write(spawn.Result(3), spawn.Str("text\n")),
		spawn.Watch(spawn.ExceededPids, spawn.Result(1), "f", "", 1, 0), spawn.Dup(spawn.Result(1), 60))
	r.Folders = []int{fd}
	if out, _, err := f.output(t, r); out != "text\n" || err != nil {
		t.Errorf("%q, %v", out, err)
	}
	r.Folders = nil
	if _, _, err := f.output(t, r); !errors.Is(err, spawn.ErrBadPlan) {
		t.Errorf("nobody has made the folder: %v", err)
	}
	r.Plan.Steps[0] = spawn.CloneInto(0, spawn.Result(2))
	r.Folders = []int{fd}
	if _, _, err := f.output(t, r); !errors.Is(err, spawn.ErrBadPlan) {
		t.Errorf("a clone into what is no folder: %v", err)
	}
}
