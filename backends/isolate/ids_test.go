//go:build linux

package isolate_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// TestIDs: a child with ids of a range is another user outside.
func TestIDs(t *testing.T) {
	h := openHost(t)
	if os.Geteuid() != 0 {
		if err := shell(h, "true", "ids=100000:65536").Run(); !errors.Is(err, spawn.ErrBadOption) {
			t.Errorf("an ordinary user: %v", err)
		}
		return
	}
	dir := t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.WriteFile(filepath.Join(dir, "roots"), []byte("secret\n"), 0o600))
	must(os.WriteFile(filepath.Join(dir, "own"), []byte("own\n"), 0o600))
	must(os.Chown(filepath.Join(dir, "own"), 300007, 300008))
	must(os.Mkdir(filepath.Join(dir, "closed"), 0o700))
	must(os.Mkdir(filepath.Join(dir, "closed", "below"), 0o700))
	must(os.Chmod(filepath.Join(dir, "closed", "below"), 0o777))
	bind := "bind=" + dir + ":/tmp/d:rw"
	for _, tt := range []struct {
		name, script string
		opts         []string
		want         string
	}{
		{"it is root there", `echo $(id -u) $(id -g) $(id -G); tr -s " " </proc/self/uid_map; tr -s " " </proc/self/gid_map`, nil, "0 0 0\n 0 300000 1000\n 0 300000 1000\n"},
		{"or somebody", `echo $(id -u) $(id -g) $(id -G)`, []string{"uid=7", "gid=8"}, "7 8 8\n"},
		{"its files", `touch /tmp/x; stat -c "%u %g" /tmp/x /tmp /dev/shm`, []string{"uid=7", "gid=8"}, "7 8\n7 8\n7 8\n"},
		{"root's files are not its own", `stat -c %u /tmp/d/roots; cat /tmp/d/roots 2>/dev/null || echo no; cat /etc/shadow >/dev/null 2>&1 || echo no`, nil, "65534\nno\nno\n"},
		{"those of the range are", `stat -c "%u %g" /tmp/d/own; cat /tmp/d/own`, []string{"uid=7"}, "7 8\nown\n"},
		{"a bind of what it could not reach", `echo x >/tmp/e/made`, []string{"bind=" + dir + "/closed/below:/tmp/e:rw", "uid=7"}, ""},
		{"no way to be another", `grep -E "Cap(Prm|Bnd)" /proc/self/status | grep -vc 0000000000000000; setpriv --reuid 5 --clear-groups true 2>/dev/null || echo no`, nil, "0\nno\n"},
		{"an empty root", `touch /tmp/x; stat -c %u /tmp/x / /dev`, append([]string{"profile=empty"}, system()...), "0\n0\n0\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := shell(h, tt.script, append([]string{"ids=300000:1000", bind}, tt.opts...)...)
			if out, err := c.CombinedOutput(); string(out) != tt.want {
				t.Errorf("%v\n got %q\nwant %q", err, out, tt.want)
			}
		})
	}
	var st syscall.Stat_t
	if err := syscall.Stat(filepath.Join(dir, "closed", "below", "made"), &st); err != nil || st.Uid != 300007 {
		t.Errorf("outside the file is that of user %d, %v", st.Uid, err)
	}
}
