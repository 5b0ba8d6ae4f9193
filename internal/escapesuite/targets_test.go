//go:build linux

package escapesuite

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hatchery-spawn/hatchery/internal/helperproc"
)

// onTargets are the attempts of somebody who has made the folder that is the root: he
// leads what is mounted, or made to be mounted on, to somewhere else.
func onTargets() []attempt {
	return []attempt{
		{
			name: "target-by-symlink", what: "have a folder made in the host's by a link in the root", stops: []layer{oldRootLayer}, quiet: true, hostProfile: true,
			scene: func(s *scene) { s.mislead() },
			try:   func([]string) error { return nil }, // it is over when it begins
		},
	}
}

// up leads to the host's root from everywhere.
const up = "../../../../../../../.."

// mislead makes a root with a link "a" to a folder of the host's, where a bind is to
// have a place made. The folder is harmed when something has come there.
func (s *scene) mislead() (root, link string) {
	root = s.folder()
	victim := s.folder()
	for _, dir := range []string{"proc", "dev", "tmp", "bin", "lib", "lib64", "usr"} {
		if err := os.Mkdir(filepath.Join(root, dir), 0o755); err != nil {
			s.Fatal(err)
		}
	}
	link = filepath.Join(root, "a")
	if err := os.Symlink(up+victim, link); err != nil {
		s.Fatal(err)
	}
	s.args = []string{root}
	s.opts = append(system(), "root="+root, "overlay=true", "bind="+s.folder()+":/a/b")
	s.harmed = func() bool {
		names, err := os.ReadDir(victim)
		return err != nil || len(names) != 1 // f
	}
	return root, link
}

// TestTargetRace swaps a folder of the root and a link that leads out of it, while
// sandboxes are made that have something mounted there. Some are, some are refused;
// the folder of the host that the link leads to stays as it is.
func TestTargetRace(t *testing.T) {
	h := openHost(t)
	s := &scene{TB: t}
	root, link := s.mislead()
	other := filepath.Join(root, "other")
	if err := os.Mkdir(other, 0o777); err != nil {
		t.Fatal(err)
	}
	stop, over := make(chan struct{}), make(chan int)
	go func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				over <- n
				return
			default:
				unix.Renameat2(unix.AT_FDCWD, link, unix.AT_FDCWD, other, unix.RENAME_EXCHANGE)
			}
		}
	}()
	times, began := 40, 0
	if *heavy {
		times = 2000
	}
	for range times {
		c := h.Command(inside)
		c.Args, c.Dir, c.Env = helperproc.Argv("attempt", "target-by-symlink"), "/", []string{}
		c.Spec.Options = options(append([]string{"bind=" + helperproc.Path() + ":" + inside}, s.opts...))
		if c.Run() == nil {
			began++
		}
	}
	close(stop)
	swaps := <-over
	if s.harmed() {
		t.Error("something was made in the host's folder")
	}
	if swaps < times {
		t.Errorf("the two were swapped %d times while %d sandboxes were made", swaps, times)
	}
	t.Logf("%d of %d sandboxes began, %d swaps", began, times, swaps)
}
