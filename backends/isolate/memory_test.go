//go:build linux

package isolate_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// profiles are options for each kind of root.
func profiles(t *testing.T) map[string][]string {
	root := t.TempDir()
	for _, dir := range []string{"bin", "dev", "lib", "lib32", "lib64", "libx32", "proc", "tmp", "usr", "var/tmp", "run"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return map[string][]string{
		"host":    nil,
		"empty":   append([]string{"profile=empty"}, system()...),
		"root":    append([]string{"root=" + root}, system()...),
		"overlay": append([]string{"root=" + root, "overlay=true"}, system()...),
	}
}

// TestMemoryModes: what is in memory has the same modes whatever the host's umask is,
// which is the program's.
func TestMemoryModes(t *testing.T) {
	h := openHost(t)
	for _, mask := range []int{0o022, 0o077} {
		before := syscall.Umask(mask)
		for name, opts := range profiles(t) {
			c := shell(h, `for d in /tmp /var/tmp /run /dev/shm /dev /dev/pts; do [ -e $d ] && stat -c '%a' $d; done | tr '\n' ' '; umask`, opts...)
			out, err := c.CombinedOutput()
			want := "1777 1777 1777 1777 755 755 00"
			if name == "empty" {
				want = "1777 1777 755 755 00"
			}
			if got := string(out); err != nil || !strings.HasPrefix(got, want) || !strings.HasSuffix(got, map[int]string{0o022: "0022\n", 0o077: "0077\n"}[mask]) {
				t.Errorf("%s, umask %#o: %v, %q, want %q", name, mask, err, got, want)
			}
		}
		syscall.Umask(before)
	}
}

// TestMemoryIsShared: what fills one folder is missing in the other, and a tmpfs of the
// caller's is another file system.
func TestMemoryIsShared(t *testing.T) {
	h := openHost(t)
	const script = `free() { stat -f -c %f $1; }; a=$(free /dev/shm); b=$(free /tmp/own)
head -c 4194304 /dev/zero >/tmp/x; [ $((a - $(free /dev/shm))) -ge 1024 ] && echo shared; [ $b = $(free /tmp/own) ] && echo own
ln /tmp/x /dev/shm/x 2>/dev/null || echo apart; mv /tmp/x /dev/shm/x && stat -c %s /dev/shm/x; stat -f -c %b /tmp/own`
	for name, opts := range profiles(t) {
		out, err := shell(h, script, append(opts, "tmpfs=/tmp/own:1m")...).CombinedOutput()
		if want := "shared\nown\napart\n4194304\n256\n"; err != nil || string(out) != want {
			t.Errorf("%s: %v, %q, want %q", name, err, out, want)
		}
	}
}

// TestMemoryRoot: no mount in the sandbox shows the root of the file system in memory, not
// even one that another covers.
func TestMemoryRoot(t *testing.T) {
	h := openHost(t)
	for name, opts := range profiles(t) {
		out, err := shell(h, "cat /proc/self/mountinfo", opts...).Output()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		device := ""
		var all [][]string
		for line := range strings.Lines(string(out)) {
			// 79 45 0:41 /tmp /tmp rw,nosuid,nodev,relatime - tmpfs tmpfs rw
			f := strings.Fields(line)
			all = append(all, f)
			if f[4] == "/tmp" {
				device = f[2]
			}
		}
		places := 0
		for _, f := range all {
			switch {
			case f[2] != device:
			case f[3] != "/":
				places++
			default:
				t.Errorf("%s: the root of the file system is at %s", name, f[4])
			}
		}
		if places < 3 {
			t.Errorf("%s: %d mounts of it:\n%s", name, places, out)
		}
	}
}

// TestMountsInDev: what the caller puts into /dev has its place made there, and /dev is
// read-only all the same.
func TestMountsInDev(t *testing.T) {
	h := openHost(t)
	file := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, []byte("content\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, opts := range profiles(t) {
		for _, more := range [][]string{{"bind=" + file + ":/dev/a/f"}, {"tmpfs=/dev", "bind=" + file + ":/dev/a/f"}} {
			out, err := shell(h, `cat /dev/a/f; touch /dev/x 2>/dev/null || echo sealed`, append(more, opts...)...).Output()
			want := "content\nsealed\n"
			if len(more) > 1 {
				want = "content\n"
			}
			if err != nil || string(out) != want {
				t.Errorf("%s, %q: %v, %q, want %q", name, more, err, out, want)
			}
		}
	}
}
