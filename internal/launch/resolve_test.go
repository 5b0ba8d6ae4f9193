//go:build linux && (amd64 || arm64)

package launch

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// TestResolveWhileOthersRename looks up paths with ".." in a root while somebody else
// renames files, somewhere else: openat2(2) cannot tell then whether it came out of the
// root, and wants to be asked again.
func TestResolveWhileOthersRename(t *testing.T) {
	f := newFixture(t)
	dir := t.TempDir()
	link, one, two := filepath.Join(dir, "link"), filepath.Join(dir, "one"), filepath.Join(dir, "two")
	if err := os.Symlink("../../../../../../../../../..", link); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(one, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	stop, over := make(chan struct{}), make(chan error)
	go func() {
		for {
			select {
			case <-stop:
				over <- nil
				return
			default:
			}
			for _, names := range [][2]string{{one, two}, {two, one}} {
				if err := unix.Rename(names[0], names[1]); err != nil {
					over <- err
					return
				}
			}
		}
	}()
	for range 100 {
		root := spawn.Open(spawn.Str(dir), unix.O_PATH, 0)
		at := spawn.OpenAt(spawn.Result(1), spawn.Str("link"), unix.O_PATH, 0, unix.RESOLVE_IN_ROOT)
		if _, ws, err := f.output(t, shell("exit 0", root, at)); err != nil || ws != 0 {
			t.Error(ws, err)
			break
		}
	}
	close(stop)
	if err := <-over; err != nil {
		t.Error(err)
	}
}
