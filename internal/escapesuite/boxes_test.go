//go:build linux

package escapesuite

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// The sandboxes of which something depends on the name.
const (
	killBox    = "seccomp=kill"
	anotherBox = "another user"
)

// boxes returns the sandboxes in which the attempt is made.
func (a attempt) boxes(t *testing.T) []sandbox {
	all := []sandbox{{name: "default"}}
	if a.filtered {
		all = append(all, sandbox{name: killBox, opts: []string{"seccomp=kill"}})
	}
	if a.hostProfile || a.asked {
		return all
	}
	all = append(all, sandbox{name: "profile=empty", opts: append([]string{"profile=empty"}, system()...)}, overlay(t))
	if isRoot() {
		all = append(all, sandbox{name: anotherBox, spec: asAnother}, sandbox{name: "ids of nobody else", opts: []string{"ids=1900000000:65536"}})
	}
	return all
}

// asAnother makes the child that of another user, without a user namespace.
func asAnother(s *spawn.Spec) {
	s.Credential = &spawn.Credential{UID: 65534, GID: 65534}
	s.Options = slices.DeleteFunc(s.Options, func(o spawn.Option) bool { return o.Key == "uid" || o.Key == "gid" })
}

// system are the folders of the host that the test binary may need in an empty root.
func system() []string {
	var opts []string
	for _, dir := range []string{"/bin", "/lib", "/lib64", "/usr"} {
		if _, err := os.Stat(dir); err == nil {
			opts = append(opts, "bind="+dir)
		}
	}
	return opts
}

// overlay returns a sandbox with a root of its own, which can be written.
func overlay(t *testing.T) sandbox {
	root := t.TempDir()
	for _, dir := range []string{"proc", "dev", "tmp", "bin", "lib", "lib64", "usr"} {
		if err := os.Mkdir(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return sandbox{name: "overlay", opts: append([]string{"root=" + root, "overlay=true"}, system()...)}
}
