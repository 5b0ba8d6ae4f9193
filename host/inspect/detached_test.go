//go:build linux

package inspect

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/hunt"
	"github.com/hatchery-spawn/hatchery/internal/keeper"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// TestReapKeepsDetached: a detached child is listed and let alone as long as it
// runs, is not forgotten, or is lost; what a lost one has left is ended by name.
func TestReapKeepsDetached(t *testing.T) {
	run := privateDir(t)
	t.Setenv("XDG_RUNTIME_DIR", run)
	t.Setenv("TMPDIR", privateDir(t))
	h, err := host.Open(host.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	script := `(setsid sleep 1000 &); exec sleep 1000`
	d, err := h.StartDetached(t.Context(), spawn.Spec{Path: "sh", Args: []string{"sh", "-c", script}}, host.DetachOptions{Name: "it"})
	if err != nil {
		t.Fatal(err)
	}
	c := only(t)
	t.Cleanup(func() { killAll(append(descendants(c.Keeper), c.Keeper)) })
	if c.State != StateRunning || c.Ref != d.Ref() || c.Name != "it" || c.Pid != d.Pid() || !strings.HasPrefix(c.Folder, run) {
		t.Errorf("listed: %+v", c)
	}
	reaps(t, ReapConfig{}, StateRunning, nil)
	if _, err := Reap(t.Context(), ReapConfig{Detached: []string{c.Ref}}); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("to reap one that runs: %v", err)
	}
	if foldersOf(os.Getpid())[0] == c.Folder || len(foldersOf(c.Keeper)) != 0 {
		t.Errorf("its folder is taken for a host's")
	}
	var pids []int
	eventually(t, func() bool {
		pids = descendants(c.Keeper)
		return len(pids) == 2 && recorded(c) == 2
	})
	// Stopped first, it cannot end anything.
	syscall.Kill(c.Keeper, syscall.SIGSTOP)
	eventually(t, func() bool { s, _ := linux.ReadStat(c.Keeper); return s.State == 'T' })
	syscall.Kill(c.Keeper, syscall.SIGKILL)
	gone(t, c.Keeper, c.Pid)
	daemon := living(pids)
	if len(daemon) != 1 {
		t.Fatalf("of %v there live %v, want the daemon", pids, daemon)
	}
	reaps(t, ReapConfig{}, StateLost, daemon)
	reaps(t, ReapConfig{DryRun: true, Detached: []string{c.Ref}}, StateLost, daemon)
	r, err := Reap(t.Context(), ReapConfig{Detached: []string{c.Ref}})
	if err != nil || alive(daemon[0]) {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := os.Stat(c.Folder); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is there: %v", err)
	}
}

// only returns the one detached child that there is.
func only(t *testing.T) Detached {
	t.Helper()
	list := ListDetached()
	list = ours(list)
	if len(list) != 1 {
		t.Fatalf("listed: %+v, want one", list)
	}
	return list[0]
}

// ours returns those in the test's own places: there is /tmp as well.
func ours(list []Detached) (in []Detached) {
	for _, d := range list {
		if strings.HasPrefix(d.Folder, os.Getenv("XDG_RUNTIME_DIR")) {
			in = append(in, d)
		}
	}
	return in
}

// recorded returns how many living processes the keeper of a child has recorded.
func recorded(d Detached) (n int) {
	r, _ := keeper.ReadRecord(filepath.Join(d.Folder, keeper.RecordPrefix+strconv.Itoa(d.Keeper)))
	for _, e := range r.Entries {
		if s, err := linux.ReadStat(e.Pid); err == nil && hunt.Means(e, s) {
			n++
		}
	}
	return n
}

// reaps reaps, and looks whether the child is listed in a state, and kept with
// those who live.
func reaps(t *testing.T, cfg ReapConfig, state string, living []int) {
	t.Helper()
	r, err := Reap(t.Context(), cfg)
	if err != nil {
		t.Error(err)
	}
	if in := ours(r.Detached); len(in) != 1 || in[0].State != state {
		t.Errorf("listed: %+v, want one that is %s", in, state)
	}
	for _, pid := range living {
		if !alive(pid) {
			t.Errorf("process %d was ended", pid)
		}
	}
	if c := only(t); c.State != state {
		t.Errorf("afterwards: %+v", c)
	}
}

// TestReapOfAFolderWithoutAChild: a keeper that was killed before its child was
// detached leaves a folder that means nobody.
func TestReapOfAFolderWithoutAChild(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", privateDir(t))
	dir := filepath.Join(os.Getenv("XDG_RUNTIME_DIR"), "hatchery", "detached-0123456789abcdef")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	there := func() bool { _, err := os.Stat(dir); return err == nil }
	if _, err := Reap(t.Context(), ReapConfig{}); err != nil || !there() {
		t.Errorf("one that is new: %v, there: %v", err, there())
	}
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(dir, old, old); err != nil {
		t.Fatal(err)
	}
	if _, err := Reap(t.Context(), ReapConfig{}); err != nil || there() {
		t.Errorf("one that is old: %v, there: %v", err, there())
	}
}
