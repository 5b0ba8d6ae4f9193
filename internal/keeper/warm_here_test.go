//go:build linux

package keeper

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// A template that says so waits in the directory of its children, and serves no
// others; any other template waits in the root directory.
func TestTemplateInTheDirectoryOfItsChildren(t *testing.T) {
	bothKinds(t, func(t *testing.T, conf spawn.Template) {
		dirs := []string{t.TempDir(), t.TempDir()}
		for _, here := range []bool{false, true} {
			t.Run(fmt.Sprint(here), func(t *testing.T) {
				c := newClient(t)
				conf.Here, conf.Min = here, 1
				for _, dir := range append(dirs, dirs...) {
					s := launchIt(t, c, warmLaunch(t, conf, spawn.Spec{Dir: dir}, "exit", "0"))
					if s.wait(t, 5*time.Second); !s.Warm {
						t.Error("it was not handed over")
					}
				}
				want := []string{"/"}
				if here {
					want = dirs
				}
				if within(10*time.Second, func() bool { return slices.Equal(want, waitIn(c)) }) {
					return
				}
				t.Error(cmp.Diff(want, waitIn(c)))
			})
		}
	})
}

// waitIn returns the directories of the processes that are ready, each once.
func waitIn(c *Client) (dirs []string) {
	for _, pid := range children(c.Pid()) {
		if dir, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid)); err == nil {
			dirs = append(dirs, dir)
		}
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}
