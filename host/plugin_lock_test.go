//go:build linux

package host_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/host/pins"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/spawn"
)

func arch() string { return runtime.GOARCH }

// writeLock writes the lock file of a folder.
func writeLock(t testing.TB, dir, text string) (path string) {
	t.Helper()
	path = filepath.Join(dir, pins.FileName)
	must(t, os.WriteFile(path, []byte(text), 0o644), os.Chmod(path, 0o644))
	return path
}

// zeros is a pin that nothing has.
func zeros() string { return "sha256:" + strings.Repeat("0", 64) }

func TestLockDescribes(t *testing.T) {
	dir := backendDir(t)
	a, b, c := backend(t, dir, "a"), backend(t, dir, "b"), backend(t, dir, "c")
	lock := writeLock(t, dir, "# comment\na any "+zeros()+"\na linux/"+arch()+" "+string(checksum(t, a))+"\na status experimental\na summary the first\n"+
		"b any "+zeros()+"\nb status blocked\nb reason because\nb alternative forkexec\nb analysis docs/b.md\nb scenario b\n")
	entries, skipped := host.Discover([]string{dir})
	want := []registry.Entry{
		{Key: "a", Path: a, Status: registry.Experimental, Summary: "the first", Pin: checksum(t, a), PinnedBy: lock + ":3"},
		{Key: "b", Path: b, Status: registry.Blocked, Reason: "because", Alternative: "forkexec", Analysis: "docs/b.md", Scenario: "b",
			Pin: registry.Pin(zeros()), PinnedBy: lock + ":6"},
		{Key: "c", Path: c},
	}
	if d := cmp.Diff(want, entries, cmp.Comparer(func(a, b func() int) bool { return a == nil && b == nil })); d != "" {
		t.Error("entries (-want +got)\n", d)
	}
	if len(skipped) > 0 {
		t.Errorf("skipped: %v", skipped)
	}
	if _, err := os.Stat(filepath.Join(dir, "EXECUTED")); err == nil {
		t.Error("looking executed something")
	}
}

func TestLockRefuses(t *testing.T) {
	for _, c := range []struct{ name, lock, want string }{
		{"another platform", "x plan9/mips " + zeros() + "\n",
			"backends.lock:1 pins it for plan9/mips and not for linux/" + arch() + "; to pin it, run: hatchery backend lock --backend-dir "},
		{"malformed", "# c\n\nx any 12\n", "cannot be understood: DIR/backends.lock:3: checksum"},
		{"a conflict", "x any " + zeros() + "\n<<<<<<< HEAD\n", "cannot be understood: DIR/backends.lock:2: a merge conflict"},
		{"blocked for no reason", "x summary s\nx status blocked\n", "DIR/backends.lock:2: spawn method x: it is blocked without a Reason"},
		{"malformed elsewhere", "other status odd\n", "DIR/backends.lock:1: status \"odd\": want stable"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := backendDir(t)
			path := backend(t, dir, "x")
			writeLock(t, dir, c.lock)
			entries, skipped := host.Discover([]string{dir})
			got := reasons(t, dir, skipped)[filepath.Base(path)]
			if want := strings.ReplaceAll(c.want, "DIR", dir); len(entries) > 0 || !strings.Contains(got, want) {
				t.Errorf("found %v, reason %q; want %q", entries, got, want)
			}
		})
	}
}

func TestLockThatCannotBeTrusted(t *testing.T) {
	for _, c := range []struct {
		name, want string
		make       func(path string) error
	}{
		{"group", "mode 0664, owner", func(p string) error { return os.Chmod(p, 0o664) }},
		{"world", "others can write to it: chmod go-w", func(p string) error { return os.Chmod(p, 0o646) }},
		{"a FIFO", "a FIFO: want a regular file", func(p string) error { return errors.Join(os.Remove(p), syscall.Mkfifo(p, 0o644)) }},
		{"a folder", "a folder: want a regular file", func(p string) error { return errors.Join(os.Remove(p), os.Mkdir(p, 0o755)) }},
		{"a dangling link", "no such file", func(p string) error { return errors.Join(os.Remove(p), os.Symlink("nowhere", p)) }},
		{"endless", "larger than a lock file can be (1024 KiB)", func(p string) error { return os.Truncate(p, 1<<30) }},
		{"a link into a folder that is open to others", "mode 0777", func(p string) error {
			open := filepath.Join(filepath.Dir(filepath.Dir(p)), "open")
			return errors.Join(os.Mkdir(open, 0o777), os.Chmod(open, 0o777), os.Rename(p, open+"/l"), os.Symlink(open+"/l", p))
		}},
		{"a stranger's", "it belongs neither to you", func(p string) error { return os.Chown(p, 4711, 4711) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.name == "a stranger's" && os.Getuid() != 0 {
				t.Skip("only root can give files away")
			}
			top := backendDir(t)
			dir := filepath.Join(top, "d")
			must(t, os.Mkdir(dir, 0o755), os.Chmod(dir, 0o755))
			path := backend(t, dir, "x")
			must(t, c.make(writeLock(t, dir, "x status stable\n")))
			entries, skipped := host.Discover([]string{dir})
			got := reasons(t, dir, skipped)
			for _, name := range []string{filepath.Base(path), pins.FileName} {
				if !strings.Contains(got[name], c.want) {
					t.Errorf("%s: reason %q does not say %q", name, got[name], c.want)
				}
			}
			if len(entries) > 0 {
				t.Errorf("taken: %v", entries)
			}
			if _, err := host.ReadLock(dir); err == nil {
				t.Error("ReadLock reads it")
			}
		})
	}
}

func TestLockNamesWhatIsMissing(t *testing.T) {
	dir := backendDir(t)
	must(t, os.WriteFile(filepath.Join(dir, "spawn-backend-plain"), []byte("x"), 0o644))
	lock := writeLock(t, dir, "\ngone any "+zeros()+"\nplain status stable\n")
	_, skipped := host.Discover([]string{dir})
	got := reasons(t, dir, skipped)
	if want := "not there, though " + lock + ":2 names it: put it there, or run: hatchery backend lock --prune --backend-dir " + dir; got["spawn-backend-gone"] != want {
		t.Errorf("reason %q, want %q", got["spawn-backend-gone"], want)
	}
	if !strings.Contains(got["spawn-backend-plain"], "not executable") || len(got) != 2 {
		t.Errorf("reasons %q", got)
	}
}

func TestTwoFilesClaimOneKey(t *testing.T) {
	dir, later := backendDir(t), backendDir(t)
	one, two := backend(t, dir, "x"), backend(t, dir, "x.py")
	single, third := backend(t, dir, "y.sh"), backend(t, later, "x.sh")
	must(t, os.WriteFile(filepath.Join(dir, "spawn-backend-y.py"), []byte("x"), 0o644)) // claims nothing
	entries, skipped := host.Discover([]string{dir, later})
	if len(entries) != 1 || entries[0].Key != "y" || entries[0].Path != single {
		t.Errorf("taken: %v, want y alone", entries)
	}
	const both = "spawn-backend-x and spawn-backend-x.py claim the method x, all in this folder: keep one"
	want := []host.Skipped{
		{filepath.Join(dir, "spawn-backend-y.py"), "y", "mode 0644: not executable: chmod +x " + filepath.Join(dir, "spawn-backend-y.py")},
		{one, "x", both}, {two, "x", both},
		{third, "x", "shadowed by " + two + ", whose folder comes first, though it was refused"},
	}
	if d := cmp.Diff(want, skipped); d != "" {
		t.Error("(-want +got)\n", d)
	}
}

// TestARefusedBinaryIsNotReplaced: what the first folder has decides, also
// when it may not be used.
func TestARefusedBinaryIsNotReplaced(t *testing.T) {
	first, second := backendDir(t), backendDir(t)
	open, pinned := backend(t, first, "open"), backend(t, first, "pinned")
	must(t, os.Chmod(open, 0o777))
	writeLock(t, first, "pinned plan9/mips "+zeros()+"\n")
	a, b := backend(t, second, "open"), backend(t, second, "pinned")
	entries, skipped := host.Discover([]string{first, second})
	if len(entries) > 0 {
		t.Errorf("taken: %v", entries)
	}
	for _, c := range [][2]string{{a, open}, {b, pinned}} {
		if got, want := reasons(t, second, skipped)[filepath.Base(c[0])], "shadowed by "+c[1]+", whose folder comes first, though it was refused"; got != want {
			t.Errorf("%s: %q, want %q", c[0], got, want)
		}
	}
}

func TestDiscoverUnpinned(t *testing.T) {
	dir := backendDir(t)
	path := backend(t, dir, "x")
	writeLock(t, dir, "x plan9/mips "+zeros()+"\n<<<<<<<\n")
	entries, skipped := host.DiscoverUnpinned(dir)
	if len(entries) != 1 || entries[0].Path != path || len(skipped) > 0 {
		t.Errorf("found %v, skipped %v", entries, skipped)
	}
}

// TestAnEmbedderPins gives a pin without a lock file.
func TestAnEmbedderPins(t *testing.T) {
	path := pluginBinary(t, backendDir(t), "mine")
	runs(t, hostOf(t, registry.Entry{Key: "mine", Path: path, Pin: checksum(t, path)}))
	h := hostOf(t, registry.Entry{Key: "mine", Path: path, Pin: registry.Pin(zeros())})
	_, err := h.Command("true").Output()
	if !errors.Is(err, spawn.ErrUntrusted) {
		t.Errorf("got %v", err)
	}
	mentions(t, err, "but the program that registered it wants "+zeros())
}
