//go:build linux

package host_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// has waits until this process has a file open: that is no event that one
// could wait for.
func has(t *testing.T, path string) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); <-tick.C {
		fds, err := os.ReadDir("/proc/self/fd")
		must(t, err)
		for _, fd := range fds {
			if target, _ := os.Readlink("/proc/self/fd/" + fd.Name()); target == path {
				return
			}
		}
	}
	t.Fatalf("%s is not opened", path)
}

// TestSwappedAfterTheCheck puts another file into the place of one that the
// host has opened. The keeper, which executes it, is stopped until then.
func TestSwappedAfterTheCheck(t *testing.T) {
	for _, kind := range []string{"binary", "script"} {
		t.Run(kind, func(t *testing.T) {
			dir := backendDir(t)
			path := pluginBinary(t, dir, "swap")
			if kind == "script" {
				real := filepath.Join(backendDir(t), "spawn-backend-swap")
				must(t, os.Rename(path, real))
				script(t, path, "#!/bin/sh\nexec "+real+"\n")
			}
			h := hostOf(t, registry.Entry{Key: "swap", Path: path})
			keeper := keeperOf(t)
			stop(t, keeper)
			described := make(chan error, 1)
			go func() { // waited for below
				_, err := h.Describe(t.Context(), "swap")
				described <- err
			}()
			has(t, path)
			script(t, filepath.Join(dir, "evil"), fmt.Sprintf("#!/bin/sh\ntouch %s/EXECUTED\n", dir))
			must(t, os.Rename(filepath.Join(dir, "evil"), path), syscall.Kill(keeper, syscall.SIGCONT))
			if err := <-described; err != nil {
				t.Error("what was checked was not executed: ", err)
			}
			if _, err := os.Stat(filepath.Join(dir, "EXECUTED")); err == nil {
				t.Error("what was not checked was executed")
			}
			runs(t, h)
		})
	}
}

// TestPinnedScriptIsACopy writes to a pinned script after its check, which its
// interpreter would read.
func TestPinnedScriptIsACopy(t *testing.T) {
	dir := backendDir(t)
	path, real := filepath.Join(dir, "spawn-backend-copied.sh"), pluginBinary(t, backendDir(t), "copied")
	text := "#!/bin/sh\nexec " + real + "\n"
	script(t, path, text)
	h := hostOf(t, registry.Entry{Key: "copied", Path: path, Pin: checksum(t, path)})
	keeper := keeperOf(t)
	stop(t, keeper)
	described := make(chan error, 1)
	go func() { // waited for below
		_, err := h.Describe(t.Context(), "copied")
		described <- err
	}()
	has(t, "/memfd:spawn-backend-copied.sh (deleted)")
	script(t, path, "#!/bin/sh\ntouch "+dir+"/EXECUTED\n")
	must(t, syscall.Kill(keeper, syscall.SIGCONT))
	if err := <-described; err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "EXECUTED")); err == nil {
		t.Error("what was written after the check was executed")
	}
}

// A tampering is something that happens to a pinned file.
type tampering struct {
	name string
	make func(t *testing.T, path string)
}

func tamperings() []tampering {
	return []tampering{
		{"renamed over", func(t *testing.T, path string) {
			script(t, path+".new", "#!/bin/sh\nexit 1\n")
			must(t, os.Rename(path+".new", path))
		}},
		{"rewritten in place", func(t *testing.T, path string) {
			f, err := os.OpenFile(path, os.O_RDWR, 0)
			must(t, err)
			defer f.Close()
			last := make([]byte, 1)
			st, err := f.Stat()
			must(t, err)
			_, err = f.ReadAt(last, st.Size()-1)
			must(t, err)
			last[0] ^= 1
			_, err = f.WriteAt(last, st.Size()-1)
			must(t, err)
		}},
		{"longer", func(t *testing.T, path string) {
			f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
			must(t, err)
			_, err = f.WriteString("x")
			must(t, err, f.Close())
		}},
	}
}

// TestPinnedFileThatChanged changes a pinned file between discovery and start.
func TestPinnedFileThatChanged(t *testing.T) {
	for _, c := range tamperings() {
		t.Run(c.name, func(t *testing.T) {
			dir := backendDir(t)
			path := pluginBinary(t, dir, "pinned")
			pin := checksum(t, path)
			writeLock(t, dir, "# one\npinned linux/"+arch()+" "+string(pin)+"\n")
			entries, skipped := host.Discover([]string{dir})
			if len(entries) != 1 || entries[0].Pin != pin || entries[0].PinnedBy != dir+"/backends.lock:2" || len(skipped) > 0 {
				t.Fatalf("found %v, skipped %v", entries, skipped)
			}
			h := hostOf(t, entries[0])
			keeper := keeperOf(t)
			before := linux.Children(keeper)
			c.make(t, path)
			_, err := h.Command("true").Output()
			if !errors.Is(err, spawn.ErrUntrusted) {
				t.Errorf("got %v, want %v", err, spawn.ErrUntrusted)
			}
			mentions(t, err, path, string(pin), string(checksum(t, path)), dir+"/backends.lock:2",
				"hatchery backend lock --backend-dir "+dir+" pinned")
			if after := linux.Children(keeper); len(after) != len(before) {
				t.Errorf("the keeper has the children %v, had %v", after, before)
			}
		})
	}
}

// TestPinIsVerifiedAtRestart changes a pinned file under a running plugin,
// kills that, and puts the file back.
func TestPinIsVerifiedAtRestart(t *testing.T) {
	for _, c := range tamperings() {
		t.Run(c.name, func(t *testing.T) {
			path := pluginBinary(t, backendDir(t), "again")
			good := path + ".good"
			must(t, os.Link(path, good))
			h := hostOf(t, registry.Entry{Key: "again", Path: path, Pin: checksum(t, path), PinnedBy: "the test"})
			runs(t, h)
			must(t, os.Rename(pluginBinary(t, backendDir(t), "x"), path)) // no program that is running
			c.make(t, path)
			killPlugin(t)
			_, err := h.Plan(t.Context(), "again", fresh(1))
			if !errors.Is(err, spawn.ErrUntrusted) {
				t.Errorf("got %v, want %v", err, spawn.ErrUntrusted)
			}
			mentions(t, err, "but the test wants sha256:")
			if err != nil && strings.Contains(err.Error(), "backend lock") {
				t.Errorf("it names a lock file that is not there: %v", err)
			}
			must(t, os.Rename(good, path))
			if _, err := h.Plan(t.Context(), "again", fresh(2)); err != nil {
				t.Errorf("put back: %v", err)
			}
		})
	}
}

// TestUnpinnedFileIsCheckedAtStart makes a file untrusted after its discovery.
func TestUnpinnedFileIsCheckedAtStart(t *testing.T) {
	for _, c := range []struct {
		name, want string
		make       func(path string) error
	}{
		{"group", "others can write to it: chmod go-w", func(p string) error { return os.Chmod(p, 0o775) }},
		{"folder", "others can write to it: chmod go-w", func(p string) error { return os.Chmod(filepath.Dir(p), 0o757) }},
		{"setuid", "whom this one cannot stop: chmod ug-s", func(p string) error { return os.Chmod(p, 0o755|fs.ModeSetuid) }},
		{"not executable", "not executable: chmod +x", func(p string) error { return os.Chmod(p, 0o644) }},
		{"a FIFO", "a FIFO: want an executable file", func(p string) error {
			return errors.Join(os.Remove(p), syscall.Mkfifo(p, 0o755))
		}},
		{"a folder", "a folder: want an executable file", func(p string) error {
			return errors.Join(os.Remove(p), os.Mkdir(p, 0o755))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := backend(t, backendDir(t), "late")
			h := hostOf(t, registry.Entry{Key: "late", Path: path})
			must(t, c.make(path))
			_, err := h.Command("true").Output()
			if !errors.Is(err, spawn.ErrUntrusted) {
				t.Errorf("got %v, want %v", err, spawn.ErrUntrusted)
			}
			mentions(t, err, c.want)
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), "EXECUTED")); err == nil {
				t.Error("it was executed")
			}
		})
	}
	t.Run("a stranger's", func(t *testing.T) {
		if os.Getuid() != 0 {
			t.Skip("only root can give files away")
		}
		path := backend(t, backendDir(t), "late")
		h := hostOf(t, registry.Entry{Key: "late", Path: path})
		must(t, os.Chown(path, 4711, 4711))
		_, err := h.Command("true").Output()
		mentions(t, err, "it belongs neither to you (0) nor to root")
	})
}

// killPlugin kills the one process under the one keeper. It returns once that
// has been reaped: while it is a zombie, threads of its may be at work yet.
func killPlugin(t *testing.T) {
	t.Helper()
	pid := pluginOf(t)
	must(t, syscall.Kill(pid, syscall.SIGKILL))
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(10 * time.Second); syscall.Kill(pid, 0) == nil; <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("plugin %d is not reaped", pid)
		}
	}
}

// fresh is a Spec of a shape that nobody has a plan for.
func fresh(n int) spawn.Spec {
	umask := uint32(n)
	return spawn.Spec{Path: "true", Umask: &umask}
}
