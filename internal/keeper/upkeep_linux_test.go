package keeper

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/cgroup"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// kept is a shell script by a plan that has steps of the keeper's own, behind the
// clone.
func kept(t *testing.T, script string, clone spawn.Step, steps ...spawn.Step) *Launch {
	t.Helper()
	l := shell(t, script)
	p := spawn.Standard(&spawn.Spec{})
	p.Steps = append(append([]spawn.Step{clone}, steps...), p.Steps[1:]...)
	l.Plan = encode(t, p)
	return l
}

// empty waits for a folder to be empty.
func empty(t *testing.T, dir string) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		left, err := filepath.Glob(dir + "/hatchery-*")
		if err != nil {
			t.Fatal(err)
		}
		if len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("left: %q", left)
		}
		<-time.After(time.Millisecond) // that it is empty is no event
	}
}

// TestFolder: the folder is there for the child, whatever numbers it hands out,
// and gone afterwards, also when the child does not get to its exec.
func TestFolder(t *testing.T) {
	dir := t.TempDir()
	c := newClient(t)
	folder := spawn.Folder(dir)
	for _, script := range []string{"test -d /proc/self/fd/9/ && exit 7", "exit 8"} {
		s := launchIt(t, c, kept(t, script, spawn.Clone(0), folder, spawn.Folder(dir), spawn.Dup(spawn.Result(1), 9), spawn.Dup(spawn.Result(2), 60)))
		if st := s.wait(t, 10*time.Second); st.Code < 7 || st.Exceeded != 0 {
			t.Errorf("%s: %v", script, st)
		}
	}
	empty(t, dir)
	l := kept(t, "", spawn.Clone(0), folder)
	l.Path = "/nonexistent"
	if _, err := c.Launch(t.Context(), l, func(Exit) {}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	empty(t, dir)
}

// TestFolderInUse: what a child without a process 1 has left keeps its folder, and
// no longer than that.
func TestFolderInUse(t *testing.T) {
	dir := t.TempDir()
	c := newClient(t)
	s := launchIt(t, c, kept(t, "mkdir /proc/self/fd/9/x", spawn.Clone(0), spawn.Folder(dir), spawn.Dup(spawn.Result(1), 9)))
	s.wait(t, 10*time.Second)
	made, err := filepath.Glob(dir + "/hatchery-*/x")
	if err != nil || len(made) != 1 {
		t.Fatalf("%q, %v", made, err)
	}
	if err := os.Remove(made[0]); err != nil {
		t.Fatal(err)
	}
	empty(t, dir)
}

// TestFolderFails: the error is that of the step, and nothing is left.
func TestFolderFails(t *testing.T) {
	dir := t.TempDir()
	c := newClient(t)
	for name, steps := range map[string][]spawn.Step{
		"folder": {spawn.Folder(dir), spawn.Folder(dir + "/none").Noted("as noted")},
		"watch":  {spawn.Folder(dir), spawn.Watch(spawn.ExceededPids, spawn.Result(1), "none", "", 1, 0).Noted("as noted")},
	} {
		_, err := c.Launch(t.Context(), kept(t, "", spawn.Clone(0), steps...), func(Exit) {})
		var e *spawn.Error
		if !errors.As(err, &e) || e.Op != name || e.Errno != syscall.ENOENT || e.Msg != "as noted" {
			t.Errorf("%s: %v", name, err)
		}
	}
	empty(t, dir)
	for _, bad := range [][]spawn.Step{
		{spawn.Folder("relative")},
		{spawn.Folder(dir), spawn.Watch(spawn.ExceededWall, spawn.Result(1), "x", "", 1, 0)},
		{spawn.Folder(dir), spawn.Watch(spawn.ExceededPids, spawn.Result(1), "../x", "", 1, 0)},
		{spawn.Folder(dir), spawn.Watch(spawn.ExceededPids, spawn.Result(1), "..", "", 1, 0)},
		{spawn.Folder(dir), spawn.Watch(spawn.ExceededPids, spawn.Result(1), "x", "", 0, 0)},
		{spawn.Open(spawn.Str("/"), 0, 0), spawn.Watch(spawn.ExceededPids, spawn.Result(1), "x", "", 1, 0)},
		{spawn.Wall(0)}, {spawn.Wall(1), spawn.Wall(1)},
		{{Op: "hold"}},
	} {
		_, err := c.Launch(t.Context(), kept(t, "", spawn.Clone(0), bad...), func(Exit) {})
		if !errors.Is(err, spawn.ErrBadPlan) {
			t.Errorf("%v: %v", bad, err)
		}
	}
	empty(t, dir)
}

// TestWall: the keeper ends a child whose time is over, and says so; it says
// nothing of one that is quicker.
func TestWall(t *testing.T) {
	c := newClient(t)
	s := launchIt(t, c, kept(t, "sleep 100 & wait", spawn.Clone(0), spawn.Wall(50*time.Millisecond)))
	if st := s.wait(t, 20*time.Second); st.Signal != syscall.SIGKILL || st.Exceeded != spawn.ExceededWall {
		t.Errorf("%v", st)
	}
	s = launchIt(t, c, kept(t, "exit 3", spawn.Clone(0), spawn.Wall(time.Hour)))
	if st := s.wait(t, 20*time.Second); st.Code != 3 || st.Exceeded != 0 {
		t.Errorf("%v", st)
	}
}

// TestLimitOfCPU: an end by RLIMIT_CPU is told as one, and the same signal from
// somebody else is not.
func TestLimitOfCPU(t *testing.T) {
	c := newClient(t)
	limit := spawn.SetLimit(spawn.Limit{Resource: rlimitCPU, Soft: 1, Hard: 2})
	s := launchIt(t, c, kept(t, "while :; do :; done", spawn.Clone(0), limit))
	if st := s.wait(t, 60*time.Second); st.Signal != syscall.SIGXCPU || st.Exceeded != spawn.ExceededCPU {
		t.Errorf("%v", st)
	}
	s = launchIt(t, c, kept(t, "kill -XCPU $$", spawn.Clone(0), limit))
	if st := s.wait(t, 20*time.Second); st.Signal != syscall.SIGXCPU || st.Exceeded != 0 {
		t.Errorf("%v", st)
	}
}

// unified returns where control groups of version 2 can be made.
func unified(t *testing.T) string {
	t.Helper()
	p, err := cgroup.Read().Place(cgroup.Unified)
	if err != nil {
		t.Skip("needs a control group: ", err)
	}
	return p.Path
}

// TestCloneInto: a child can be made in its folder, and a number that grows there
// ends it.
func TestCloneInto(t *testing.T) {
	dir := unified(t)
	c := newClient(t)
	watch := spawn.Watch(spawn.ExceededCPU, spawn.Result(1), "cpu.stat", "usage_usec", 200_000, 1_000_000)
	s := launchIt(t, c, kept(t, "grep -q 0::.*/hatchery- /proc/self/cgroup && exit 5", spawn.CloneInto(0, spawn.Result(1)), spawn.Folder(dir), watch))
	if st := s.wait(t, 20*time.Second); st.Code != 5 || st.Exceeded != 0 {
		t.Errorf("%v", st)
	}
	s = launchIt(t, c, kept(t, "while :; do :; done & while :; do :; done", spawn.CloneInto(0, spawn.Result(1)), spawn.Folder(dir), watch))
	if st := s.wait(t, 60*time.Second); st.Signal != syscall.SIGXCPU || st.Exceeded != spawn.ExceededCPU {
		t.Errorf("%v", st)
	}
	c.Close(0, time.Second)
	if left, err := filepath.Glob(dir + "/hatchery-*-" + "*"); err != nil || len(mine(left, c.Pid())) > 0 {
		t.Errorf("left: %q, %v", left, err)
	}
}

// mine returns the folders that a keeper has made.
func mine(dirs []string, pid int) (own []string) {
	for _, dir := range dirs {
		if strings.HasPrefix(filepath.Base(dir), "hatchery-"+strconv.Itoa(pid)+"-") {
			own = append(own, dir)
		}
	}
	return own
}

// TestRemoveLeft: what a keeper leaves that was killed is found by its notes.
func TestRemoveLeft(t *testing.T) {
	dir, folder := t.TempDir(), t.TempDir()
	c, err := Start(Config{Folder: folder})
	if err != nil {
		t.Fatal(err)
	}
	launchIt(t, c, kept(t, "sleep 100", spawn.Clone(0), spawn.Folder(dir)))
	if err := syscall.Kill(c.Pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-c.Ended()
	notes := PlacesPath(folder, c.Pid())
	if left := LeftFolders(notes); len(left) != 1 || filepath.Dir(left[0]) != dir {
		t.Fatalf("left: %q", left)
	}
	other := filepath.Join(dir, "hatchery-1-2-3")
	if err := os.Mkdir(other, 0o700); err != nil {
		t.Fatal(err)
	}
	removed, err := RemoveLeft(notes, time.Second)
	if err != nil || len(removed) != 1 {
		t.Errorf("removed %q, %v", removed, err)
	}
	if left, err := os.ReadDir(dir); len(left) != 1 || err != nil {
		t.Errorf("there is %v, %v; want that of another keeper", left, err)
	}
	if _, err := os.Stat(notes); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the notes: %v", err)
	}
}
