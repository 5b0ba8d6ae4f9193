//go:build linux && (amd64 || arm64)

package launch

import (
	"errors"
	"os"
	"slices"
	"strconv"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// TestGiveUp: a child with another root directory has no descriptor but its own behind
// the last step that names one, nor has its process 1; any other child has them until
// its exec.
func TestGiveUp(t *testing.T) {
	f := newFixture(t)
	needsUserNamespaces(t, f)
	dir, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	high, err := unix.FcntlInt(dir.Fd(), unix.F_DUPFD_CLOEXEC, 500)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(high)
	root := spawn.Chroot(spawn.Str("/"))
	own := []File{{1, int(dir.Fd())}, {7, int(dir.Fd())}, {9, int(dir.Fd())}}
	for _, tt := range []struct {
		name   string
		make   func(string, ...spawn.Step) *Request
		steps  []spawn.Step
		of     string
		number int
		errno  syscall.Errno
	}{
		{"plain", confined, nil, "self", high, 0},
		{"number in a gap", confined, []spawn.Step{root}, "self", 8, syscall.ENOENT},
		{"number behind", confined, []spawn.Step{root}, "self", high, syscall.ENOENT},
		{"standard input", confined, []spawn.Step{root}, "self", 0, 0},
		{"the child's own", confined, []spawn.Step{root}, "self", 7, 0},
		{"beside process 1", jailed, []spawn.Step{root}, "self", high, syscall.ENOENT},
		{"process 1", jailed, []spawn.Step{root}, "1", high, syscall.ENOENT},
	} {
		r := tt.make("exit 0", tt.steps...)
		exec := len(r.Plan.Steps) - 1
		look := spawn.Open(spawn.Str("/proc/"+tt.of+"/fd/"+strconv.Itoa(tt.number)), os.O_RDONLY, 0)
		r.Plan.Steps = slices.Insert(r.Plan.Steps, exec, look)
		r.Null, r.Files = int(f.null.Fd()), own
		c, err := f.Launch(r)
		f.Done()
		if c.Pid != 0 {
			reap(t, c.Pid)
		}
		for _, fd := range []int{c.Pidfd, c.Record} {
			if fd > 0 {
				unix.Close(fd)
			}
		}
		var e *spawn.Error
		errors.As(err, &e)
		if tt.errno == 0 && err != nil || tt.errno != 0 && (e == nil || e.Errno != tt.errno && e.Errno != syscall.EACCES || e.Op != string(spawn.OpOpen)) {
			t.Errorf("%s: %v, want errno %v", tt.name, err, tt.errno)
		}
	}
}
