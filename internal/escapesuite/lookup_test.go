//go:build linux

package escapesuite

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hatchery-spawn/hatchery/backends/isolate"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// What is looked up for a child, its working directory and its program, is looked up
// by a process that is the keeper's clone. These tests leave links in a folder that
// children can write, which would lead by that process out of the sandbox.

// lookups is how many descriptors are tried: the keeper has few, below 64.
const lookups = 64

// TestLookupByDescriptors: no descriptor of the keeper is a way to the host's files.
func TestLookupByDescriptors(t *testing.T) {
	h := openHost(t)
	s := &scene{TB: t}
	outside, writable := s.folder(), s.folder()
	if err := os.Mkdir(outside+"/here", 0o777); err != nil {
		t.Fatal(err)
	}
	link := writable + "/link"
	for _, process := range []string{"self", "thread-self", "1"} {
		for _, box := range []sandbox{{name: "default"}, {name: "control", off: []layer{numbersLayer}}} {
			led := 0
			for n := range lookups {
				os.Remove(link)
				if err := os.Symlink(wayOut(process, n, outside), link); err != nil {
					t.Fatal(err)
				}
				c := lookingUp(h, box, process+strconv.Itoa(n), writable) // nobody has made one ahead
				c.Dir = link + "/here"
				var e *spawn.Error
				switch err := c.Run(); {
				case err == nil:
					led++
				case !errors.As(err, &e) || e.Op != string(spawn.OpChdir):
					t.Fatal(err)
				}
			}
			if box.name == "control" && process == "1" {
				continue // that is a race
			}
			if want := box.name == "control"; led > 0 != want {
				t.Errorf("%s, /proc/%s/fd: %d of %d descriptors lead to the host's files", box.name, process, led, lookups)
			}
		}
	}
}

// wayOut is a path by a descriptor up to the root of the host's files, and down again.
func wayOut(process string, n int, to string) string {
	return filepath.Join("/proc", process, "fd", strconv.Itoa(n)) + strings.Repeat("/..", 20) + to
}

// lookingUp is a child in a sandbox with a folder that it can write.
func lookingUp(h *host.Host, box sandbox, name, writable string) *host.Cmd {
	c := h.Command("/bin/true")
	c.Dir, c.Method = "/", isolate.Key
	opts := []string{"hostname=" + name, "bind=" + writable + ":rw"}
	if len(box.off) > 0 {
		c.Method = weakKey
		opts = append(opts, without+"="+join(box.off))
	}
	c.Spec.Options = options(slices.Concat(opts, box.opts))
	return c
}
