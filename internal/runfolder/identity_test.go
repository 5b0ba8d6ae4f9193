//go:build linux

package runfolder

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestIdentity(t *testing.T) {
	dir := t.TempDir()
	if _, err := Read(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of an empty folder: %v", err)
	}
	id := New()
	for range 3 { // it is written anew for each keeper
		id.Keepers = append(id.Keepers, Process{4711, 12})
		if err := id.Write(dir); err != nil {
			t.Fatal(err)
		}
		got, err := Read(dir)
		if diff := cmp.Diff(id, got); diff != "" || err != nil {
			t.Errorf("%v: -want +got\n%s", err, diff)
		}
	}
	if !id.Here() || id.OtherBoot() || !id.Alive() {
		t.Errorf("this process is not itself: %+v", id)
	}
	other := id
	other.Start++
	if other.Alive() {
		t.Error("a process that began at another time is taken for this one")
	}
	other.Boot, other.Space = "x", "y"
	if other.Here() || !other.OtherBoot() {
		t.Error("another boot or namespace is taken for this one")
	}
	st, err := os.Stat(filepath.Join(dir, identityName))
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v, %v", st, err)
	}
}

func TestIdentityThatIsNone(t *testing.T) {
	for _, text := range []string{"", "{", "{}", `{"version":2,"pid":1,"boot_id":"x"}`, `{"version":1,"pid":-1,"boot_id":"x"}`} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, identityName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if id, err := Read(dir); err == nil {
			t.Errorf("%q is taken for %+v", text, id)
		}
	}
	dir := t.TempDir()
	if err := os.Symlink("/proc/kmsg", filepath.Join(dir, identityName)); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(dir); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("a link: %v", err)
	}
}

func TestNamedAfter(t *testing.T) {
	for name, want := range map[string]Process{
		"12-345": {12, 345}, "12-345-2": {12, 345}, "": {}, "12": {}, "a-b": {}, "12-345-6-7": {}, "-12-3": {}, "0-3": {},
	} {
		got, ok := NamedAfter(name)
		if ok != (want != Process{}) || ok && got != want {
			t.Errorf("%q: %v, %v", name, got, ok)
		}
	}
}

// TestPlaces: only folders of this user that nobody else can write to.
func TestPlaces(t *testing.T) {
	runtimeDir := t.TempDir()
	os.Chmod(runtimeDir, 0o700)
	t.Setenv("XDG_RUNTIME_DIR", runtimeDir)
	t.Setenv("TMPDIR", t.TempDir())
	base := filepath.Join(runtimeDir, "hatchery")
	for name, mode := range map[string]fs.FileMode{"12-345": 0o700, "12-346": 0o770, "notes": 0o700} {
		dir := filepath.Join(base, name)
		if err := errors.Join(os.MkdirAll(dir, 0o700), os.Chmod(dir, mode)); err != nil {
			t.Fatal(err)
		}
	}
	os.Symlink("12-345", filepath.Join(base, "13-1"))
	odd := filepath.Join(os.TempDir(), "hatchery-123456")
	if err := errors.Join(os.Mkdir(odd, 0o700), New().Write(odd)); err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, dir := range Places(os.Geteuid()) {
		found[dir] = true
	}
	if !found[filepath.Join(base, "12-345")] || !found[odd] {
		t.Errorf("found %v", found)
	}
	for _, name := range []string{"12-346", "notes", "13-1"} {
		if found[filepath.Join(base, name)] {
			t.Errorf("%s is taken for a runtime folder", name)
		}
	}
	os.Chmod(base, 0o755)
	for _, dir := range Places(os.Geteuid()) {
		if filepath.Dir(dir) == base {
			t.Errorf("%s: in a folder that is open to others", dir)
		}
	}
}
