//go:build linux

package host_test

import (
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/registry"
)

// backendDir makes a folder that passes for one of backends.
func backendDir(t testing.TB) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	must(t, err, os.Chmod(dir, 0o755)) // whatever the umask is
	return dir
}

// backend puts a file into a folder that leaves a mark when it is executed.
func backend(t *testing.T, dir, key string) (path string) {
	t.Helper()
	path = filepath.Join(dir, "spawn-backend-"+key)
	text := fmt.Sprintf("#!/bin/sh\necho %s >> %s/EXECUTED\n", key, dir)
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func must(t testing.TB, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// reasons returns the reasons by the names of the files.
func reasons(t *testing.T, dir string, skipped []host.Skipped) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, s := range skipped {
		name, err := filepath.Rel(dir, s.Path)
		if err != nil {
			t.Fatal(err)
		}
		if old, twice := out[name]; twice {
			t.Errorf("%s is reported twice: %q, %q", name, old, s.Reason)
		}
		out[name] = s.Reason
	}
	return out
}

func TestDiscoverTakesTheGoodOneAndNamesTheRest(t *testing.T) {
	dir := backendDir(t)
	in := func(name string) string { return filepath.Join(dir, name) }
	good := pluginBinary(t, dir, "good")
	marks := []byte("#!/bin/sh\necho $0 >> " + in("EXECUTED") + "\n")
	must(t,
		os.WriteFile(in("README"), marks, 0o755),
		os.WriteFile(in("spawn-backend-plain"), marks, 0o644),
		os.WriteFile(in("spawn-backend-empty"), nil, 0o755),
		os.WriteFile(in("spawn-backend-Upper"), marks, 0o755),
		os.WriteFile(in("spawn-backend-"), marks, 0o755),
		os.Mkdir(in("spawn-backend-folder"), 0o755),
		os.Mkdir(in("folder"), 0o755),
		os.Symlink("nowhere", in("spawn-backend-dangling")),
		os.Symlink("spawn-backend-loop", in("spawn-backend-loop")),
		// Opening one of these would wait for ever.
		syscall.Mkfifo(in("spawn-backend-fifo"), 0o755),
		syscall.Mkfifo(in("fifo"), 0o755),
		os.Symlink("fifo", in("spawn-backend-fifolink")),
	)
	l, err := net.Listen("unix", in("spawn-backend-socket"))
	must(t, err)
	defer l.Close()
	must(t, os.Chmod(in("spawn-backend-socket"), 0o755))

	entries, skipped := host.Discover([]string{dir})
	if diff := cmp.Diff([]registry.Entry{{Key: "good", Path: good}}, entries, cmp.Comparer(func(a, b func() int) bool { return a == nil && b == nil })); diff != "" {
		t.Error("entries (-want +got):\n", diff)
	}
	got := reasons(t, dir, skipped)
	for name, want := range map[string]string{
		"README":                 "not named spawn-backend-KEY",
		"fifo":                   "not named spawn-backend-KEY",
		"folder":                 "not named spawn-backend-KEY",
		"spawn-backend-":         "key is empty",
		"spawn-backend-Upper":    "lower case",
		"spawn-backend-plain":    "mode 0644: not executable: chmod +x " + in("spawn-backend-plain"),
		"spawn-backend-empty":    "an empty file",
		"spawn-backend-folder":   "a folder",
		"spawn-backend-dangling": "a dangling link: there is no nowhere",
		"spawn-backend-loop":     "too many levels of symbolic links",
		"spawn-backend-fifo":     "a FIFO",
		"spawn-backend-fifolink": "a FIFO",
		"spawn-backend-socket":   "a socket",
	} {
		if !strings.Contains(got[name], want) {
			t.Errorf("%s: reason %q does not say %q", name, got[name], want)
		}
		delete(got, name)
	}
	if len(got) > 0 {
		t.Errorf("skipped besides: %q", got)
	}
	if len(entries) == 1 {
		runs(t, hostOf(t, entries[0]))
	}
	if b, err := os.ReadFile(in("EXECUTED")); err == nil {
		t.Errorf("executed: %s", b)
	}
}

func TestDiscoverRefusesWhatOthersCanWriteTo(t *testing.T) {
	open, safe, outside := backendDir(t), backendDir(t), backendDir(t)
	backend(t, open, "unseen")
	group, world := backend(t, safe, "group"), backend(t, safe, "world")
	must(t,
		os.Chmod(open, 0o775), os.Chmod(outside, 0o777),
		os.Chmod(group, 0o775), os.Chmod(world, 0o757),
		os.Symlink(backend(t, outside, "target"), filepath.Join(safe, "spawn-backend-link")),
	)
	entries, skipped := host.Discover([]string{open, safe})
	if len(entries) > 0 {
		t.Errorf("taken: %v", entries)
	}
	fix := func(mode, path string) string {
		return fmt.Sprintf("mode %s, owner %d: others can write to it: chmod go-w %s", mode, os.Getuid(), path)
	}
	want := []host.Skipped{
		{open, "", fix("0775", open)},
		{group, "group", fix("0775", group)},
		{filepath.Join(safe, "spawn-backend-link"), "link", fix("0777", outside)},
		{world, "world", fix("0757", world)},
	}
	if diff := cmp.Diff(want, skipped); diff != "" {
		t.Error("(-want +got):\n", diff)
	}
}

func TestDiscoverRefusesWhatBecomesAnother(t *testing.T) {
	dir := backendDir(t)
	user, group := backend(t, dir, "user"), backend(t, dir, "group")
	must(t, os.Chmod(user, 0o755|fs.ModeSetuid), os.Chmod(group, 0o755|fs.ModeSetgid))
	entries, skipped := host.Discover([]string{dir})
	want := []host.Skipped{
		{group, "group", "mode grwxr-xr-x: it would become another user or group, whom this one cannot stop: chmod ug-s " + group},
		{user, "user", "mode urwxr-xr-x: it would become another user or group, whom this one cannot stop: chmod ug-s " + user},
	}
	if diff := cmp.Diff(want, skipped); diff != "" || len(entries) > 0 {
		t.Errorf("taken: %v (-want +got):\n%s", entries, diff)
	}
}

func TestDiscoverRefusesWhatBelongsToAStranger(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can give files away")
	}
	dir, strange := backendDir(t), backendDir(t)
	file := backend(t, dir, "strange")
	backend(t, strange, "unseen")
	must(t, os.Chown(file, 4711, 0), os.Chown(strange, 4711, 0))
	entries, skipped := host.Discover([]string{dir, strange})
	want := []host.Skipped{
		{file, "strange", "mode 0755, owner 4711: it belongs neither to you (0) nor to root: chown 0 " + file},
		{strange, "", "mode 0755, owner 4711: it belongs neither to you (0) nor to root: chown 0 " + strange},
	}
	if diff := cmp.Diff(want, skipped); diff != "" || len(entries) > 0 {
		t.Errorf("taken: %v (-want +got):\n%s", entries, diff)
	}
}

func TestDiscoverFirstFolderWins(t *testing.T) {
	a, b := backendDir(t), backendDir(t)
	alias := filepath.Join(backendDir(t), "alias")
	must(t, os.Symlink(a, alias))
	one, two, other := backend(t, a, "x"), backend(t, b, "x"), backend(t, b, "y")
	must(t, os.WriteFile(filepath.Join(a, "spawn-backend-y"), []byte("x"), 0o644)) // shadows nothing

	// A folder that is not there is passed over; one that is named twice is
	// looked into once.
	entries, skipped := host.Discover([]string{filepath.Join(a, "none"), a, b, alias, b})
	var paths []string
	for _, e := range entries {
		paths = append(paths, e.Path)
	}
	if want := []string{one, other}; !slices.Equal(paths, want) {
		t.Errorf("taken: %q, want %q", paths, want)
	}
	want := []host.Skipped{
		{filepath.Join(a, "spawn-backend-y"), "y", "mode 0644: not executable: chmod +x " + filepath.Join(a, "spawn-backend-y")},
		{two, "x", "shadowed by " + one + ", whose folder comes first"},
	}
	if diff := cmp.Diff(want, skipped); diff != "" {
		t.Error("(-want +got):\n", diff)
	}
}

func TestDiscoverMakesPathsAbsolute(t *testing.T) {
	dir := backendDir(t)
	path := backend(t, dir, "x")
	t.Chdir(dir)
	entries, _ := host.Discover([]string{"."})
	if len(entries) != 1 || entries[0].Path != path {
		t.Errorf("found %v, want %s", entries, path)
	}
}

func TestDiscoverOfWhatIsNoFolder(t *testing.T) {
	dir := backendDir(t)
	fifo := filepath.Join(dir, "fifo")
	must(t, syscall.Mkfifo(fifo, 0o755))
	entries, skipped := host.Discover([]string{fifo, filepath.Join(fifo, "below")})
	if len(entries) > 0 || len(skipped) != 2 || !strings.HasPrefix(skipped[0].Reason, "not a folder") ||
		skipped[1].Reason != "not a directory" {
		t.Errorf("taken %v, skipped %v", entries, skipped)
	}
}

func TestExtendKeepsWhatIsThere(t *testing.T) {
	dir := backendDir(t)
	mine, fresh := backend(t, dir, "mine"), backend(t, dir, "fresh")
	r, err := registry.New(registry.Entry{Key: "mine", Serve: func() int { return 0 }})
	must(t, err)
	skipped := host.Extend(r, []string{dir})
	want := []host.Skipped{{mine, "mine", "the key mine is taken (built-in): rename the file"}}
	if diff := cmp.Diff(want, skipped); diff != "" {
		t.Error("(-want +got):\n", diff)
	}
	if e, err := r.Lookup("mine"); err != nil || !e.Builtin() {
		t.Errorf("mine is %v, %v: want the built-in one", e, err)
	}
	if e, err := r.Lookup("fresh"); err != nil || e.Path != fresh || e.Status != "" {
		t.Errorf("fresh is %v, %v", e, err)
	}
}

func TestBackendDirs(t *testing.T) {
	const last = "/usr/local/lib/hatchery/backends"
	for _, c := range []struct {
		name string
		flag []string
		env  map[string]string
		want []string
	}{
		{"nothing", nil, nil, []string{last}},
		{"home", nil, map[string]string{"HOME": "/h"}, []string{"/h/.local/share/hatchery/backends", last}},
		{"relative data", nil, map[string]string{"HOME": "/h", "XDG_DATA_HOME": "d"}, []string{"/h/.local/share/hatchery/backends", last}},
		{"all", []string{"f", "/g"}, map[string]string{"HOME": "/h", "XDG_DATA_HOME": "/d", "HATCHERY_BACKEND_PATH": "/e::rel:"},
			[]string{"f", "/g", "/e", "rel", "/d/hatchery/backends", last}},
	} {
		got := host.BackendDirs(c.flag, func(k string) string { return c.env[k] })
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
