//go:build linux

package inspect

import (
	"context"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/internal/runfolder"
)

// reap reaps and returns what became of one folder.
func reap(t *testing.T, dir string, cfg ReapConfig) Folder {
	t.Helper()
	r, err := Reap(context.Background(), cfg)
	if err != nil {
		t.Error(err)
	}
	i := slices.IndexFunc(r.Folders, func(f Folder) bool { return f.Path == dir })
	if i < 0 {
		t.Fatalf("%s is not in the report: %+v", dir, r)
	}
	return r.Folders[i]
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// A family is a script with a child, and daemons that ignore SIGTERM: one with
// a session of its own.
const family = `(setsid sh -c 'trap "" TERM; while :; do sleep 100; done' &); sleep 1000 & sleep 1001`

func TestReap(t *testing.T) {
	v := victimWith(t, 6, family)
	v.killBoth(t)
	// Only the child itself, and the plugin, went with the keeper.
	eventually(t, func() bool { return len(living(v.below)) == 4 })
	before := living(v.below)

	dry := reap(t, v.folder, ReapConfig{DryRun: true})
	if dry.State != StateGone || len(dry.Left) != 4 || !dry.Removed || len(dry.Sockets) == 0 {
		t.Errorf("the dry run: %+v", dry)
	}
	if now := living(v.below); !slices.Equal(now, before) || !exists(v.folder) {
		t.Fatalf("the dry run did something: %v, before %v", now, before)
	}

	done := reap(t, v.folder, ReapConfig{Grace: 200 * time.Millisecond})
	killed := 0
	for _, p := range done.Left {
		if p.Error != "" || !slices.Contains(before, p.Pid) && p.Name != "sleep" {
			t.Errorf("%+v", p)
		}
		if p.Action == ActionKilled {
			killed++
		}
	}
	if now := living(v.below); len(now) > 0 || killed != 2 || !done.Removed {
		t.Errorf("left: %v; %d had to be killed; %+v", now, killed, done)
	}
	if exists(v.folder) || exists(filepath.Dir(v.folder)) {
		t.Error("the folder is still there")
	}
}

// TestReapSession: what is in the session of a recorded process is found when
// that one has ended, if the number is known to be its own.
func TestReapSession(t *testing.T) {
	for _, c := range []struct {
		name string
		held time.Duration // after the start of the leader
		want int
	}{
		{"held", time.Second, 2},
		{"not known to be held", 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			leader, end := leaderOf(t, `read x; sleep 1000 & sleep 1001 & read x`)
			members := linux.Children(leader)
			start := startOf(t, leader)
			end()
			dir := forge(t, func(_ *runfolder.Identity, entries *[]entry) {
				*entries = []entry{entryOf(leader, start, start+c.held)}
			})
			f := reap(t, dir, ReapConfig{})
			if len(f.Left) != c.want || len(living(members)) != 2-c.want {
				t.Errorf("%+v, living %v", f, living(members))
			}
			killAll(members)
		})
	}
}

// leaderOf runs a script, which reads two lines, in a session of its own. The
// first has it begin, 30 ms after its start.
func leaderOf(t *testing.T, script string) (pid int, end func()) {
	t.Helper()
	cmd := exec.Command("sh", "-c", script)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end = sync.OnceFunc(func() { in.Close(); cmd.Wait() })
	t.Cleanup(end)
	<-time.After(30 * time.Millisecond) // so that the kernel's clock ticks
	fmt.Fprintln(in)
	eventually(t, func() bool { return len(linux.Children(cmd.Process.Pid)) == 2 })
	return cmd.Process.Pid, end
}

func TestReapLeavesTheLivingAlone(t *testing.T) {
	v := victimWith(t, 2, "exec sleep 1000")
	if f := reap(t, v.folder, ReapConfig{}); f.State != StateAlive || f.Removed || len(f.Left) > 0 {
		t.Errorf("of a host that runs: %+v", f)
	}
	// The host is gone and its keeper cannot know: it is the keeper's affair.
	stopProcess(t, v.keeper)
	v.kill()
	f := reap(t, v.folder, ReapConfig{})
	if f.State != StateAlive || !strings.Contains(f.Reason, "keeper") || f.Removed || len(f.Left) > 0 {
		t.Errorf("of a keeper that is stopped: %+v", f)
	}
	if len(living(v.below)) == 0 { // the plugin has seen the end of the host itself
		t.Error("the child was ended")
	}
	resume(v.keeper)
	gone(t, append(v.below, v.keeper)...)
	eventually(t, func() bool { return !exists(v.folder) })
}

// forge makes a runtime folder of a host that is gone, with a record.
func forge(t *testing.T, change func(id *runfolder.Identity, entries *[]entry)) (dir string) {
	t.Helper()
	runtimeDir := privateDir(t)
	t.Setenv("XDG_RUNTIME_DIR", runtimeDir)
	t.Setenv("TMPDIR", privateDir(t))
	dir = filepath.Join(runtimeDir, "hatchery", "4000000-1")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	id := runfolder.New()
	id.Pid, id.Start = 4000000, 1 // beyond what the kernel gives
	var entries []entry
	change(&id, &entries)
	if err := id.Write(dir); err != nil {
		t.Fatal(err)
	}
	writeRecord(t, filepath.Join(dir, "children-4000001"), entries)
	return dir
}

// stranger starts a process that is not to be touched.
func stranger(t *testing.T) (pid int) {
	t.Helper()
	cmd := exec.Command("sleep", "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return cmd.Process.Pid
}

// TestReapReusedPid: a process that has the pid of a recorded one, but began at
// another time, is nobody's business; the one that is meant is found.
func TestReapReusedPid(t *testing.T) {
	other, meant := stranger(t), stranger(t)
	dir := forge(t, func(_ *runfolder.Identity, entries *[]entry) {
		before := startOf(t, other)
		*entries = []entry{
			entryOf(other, before-time.Hour, before-time.Second),
			entryOf(other, before+time.Second, before+time.Hour),
			entryOf(meant, startOf(t, meant), startOf(t, meant)+time.Millisecond),
		}
	})
	f := reap(t, dir, ReapConfig{})
	if !alive(other) {
		t.Error("the stranger was killed")
	}
	if alive(meant) {
		t.Error("the process that is recorded is still there")
	}
	if len(f.Left) != 3 || f.Left[0].Action != ActionSpared || f.Left[1].Action != ActionSpared || f.Left[2].Action != ActionTerminated || !f.Removed {
		t.Errorf("%+v", f)
	}
}

// TestReapReusedHost: the host's pid belongs to another process now, which does
// not make it the host.
func TestReapReusedHost(t *testing.T) {
	other := stranger(t)
	dir := forge(t, func(id *runfolder.Identity, _ *[]entry) {
		id.Pid, id.Keepers = other, []runfolder.Process{{Pid: other, Start: 2}}
	})
	if f := reap(t, dir, ReapConfig{}); f.State != StateGone || !f.Removed || !alive(other) {
		t.Errorf("%+v; the stranger lives: %v", f, alive(other))
	}
}

// TestReapOtherBoot: pids of another boot mean nothing, however well they fit.
func TestReapOtherBoot(t *testing.T) {
	other := stranger(t)
	fits := []entry{entryOf(other, startOf(t, other), startOf(t, other)+time.Second)}
	dir := forge(t, func(id *runfolder.Identity, entries *[]entry) {
		id.Boot = "another"
		*entries = fits
	})
	if f := reap(t, dir, ReapConfig{}); f.State != StateGone || !f.Removed || len(f.Left) > 0 || !alive(other) {
		t.Errorf("another boot: %+v; the stranger lives: %v", f, alive(other))
	}
	dir = forge(t, func(id *runfolder.Identity, entries *[]entry) {
		id.Space = "pid:[1]"
		*entries = fits
	})
	if f := reap(t, dir, ReapConfig{}); f.State != StateUnknown || f.Removed || !alive(other) {
		t.Errorf("another namespace: %+v; the stranger lives: %v", f, alive(other))
	}
}

// TestReapFirstOfANamespace: with its first process all of a namespace has ended,
// and nothing in it could remove the folder. Whether it has, its socket tells.
func TestReapFirstOfANamespace(t *testing.T) {
	other := stranger(t)
	fits := []entry{entryOf(other, startOf(t, other), startOf(t, other)+time.Second)}
	for _, pid := range []int{1, 7} {
		dir := forge(t, func(id *runfolder.Identity, entries *[]entry) {
			id.Pid, id.Space, id.Keepers = pid, "pid:[1]", nil
			*entries = fits
		})
		if f := reap(t, dir, ReapConfig{}); f.State != StateUnknown || f.Removed {
			t.Errorf("process %d, without a socket: %+v", pid, f)
		}
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: runfolder.Control(dir), Net: "unix"})
		if err != nil {
			t.Fatal(err)
		}
		l.SetUnlinkOnClose(false)
		if f := reap(t, dir, ReapConfig{}); f.State != StateUnknown || f.Removed {
			t.Errorf("process %d listens: %+v", pid, f)
		}
		l.Close()
		f := reap(t, dir, ReapConfig{})
		if gone := pid == 1; f.Removed != gone || exists(dir) == gone || len(f.Left) > 0 || !alive(other) {
			t.Errorf("process %d has ended: %+v; the stranger lives: %v", pid, f, alive(other))
		}
	}
}

// TestReapItself: what this process is, or descends from, is never ended.
func TestReapItself(t *testing.T) {
	dir := forge(t, func(_ *runfolder.Identity, entries *[]entry) {
		for _, pid := range []int{os.Getpid(), os.Getppid()} {
			*entries = append(*entries, entryOf(pid, startOf(t, pid), startOf(t, pid)+time.Second))
		}
	})
	f := reap(t, dir, ReapConfig{}) // or this is the end of the test
	if len(f.Left) != 2 || f.Left[0].Action != ActionSpared {
		t.Errorf("%+v", f)
	}
}

func TestReapFolderWithoutIdentity(t *testing.T) {
	runtimeDir := privateDir(t)
	t.Setenv("XDG_RUNTIME_DIR", runtimeDir)
	t.Setenv("TMPDIR", privateDir(t))
	dir := filepath.Join(runtimeDir, "hatchery", "4000000-1")
	living := filepath.Join(runtimeDir, "hatchery", fmt.Sprintf("%d-%d", os.Getpid(), selfStart(t)))
	unrelated := filepath.Join(runtimeDir, "hatchery", "notes")
	for _, d := range []string{dir, living, unrelated} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if f := reap(t, dir, ReapConfig{}); f.State != StateUnknown || f.Removed {
		t.Errorf("a new one: %+v", f)
	}
	old := time.Now().Add(-time.Minute)
	if err := os.Chtimes(dir, old, old); err != nil {
		t.Fatal(err)
	}
	os.Chtimes(living, old, old)
	f := reap(t, dir, ReapConfig{})
	if f.State != StateGone || !f.Removed || !slices.Equal(f.Sockets, []string{filepath.Join(dir, "s")}) {
		t.Errorf("an old one: %+v", f)
	}
	if !exists(living) || !exists(unrelated) {
		t.Error("what belongs to a living process, or is no runtime folder, was removed")
	}
	os.Chmod(unrelated, fs.ModePerm)
}
