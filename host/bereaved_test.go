//go:build linux

package host_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/keeper"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// below is a child that is three sleeps: one of them ignores SIGTERM, one is a
// daemon with a session of its own whose parents are gone.
const below = `sleep $0 & (setsid sh -c 'exec sleep $0' $0 &); sh -c 'trap "" TERM; sleep $0; exit' $0 & wait`

// TestKeeperKilledAlone: what is below the children of a killed keeper ends with
// their nursery: all that was recorded, and all that is in a session or group of a
// child's own, recorded or not.
func TestKeeperKilledAlone(t *testing.T) {
	for name, c := range map[string]struct {
		place  func(*spawn.Spec)
		script string
		sleeps int
		wait   bool // until the keeper has looked
	}{
		"recorded":         {groups["host's group"], below, 3, true},
		"session, at once": {groups["session"], `sleep $0 & sh -c 'trap "" TERM; sleep $0; exit' $0 & wait`, 2, false},
		"group, at once":   {groups["own group"], `sleep $0 & sh -c 'trap "" TERM; sleep $0; exit' $0 & wait`, 2, false},
	} {
		t.Run(name, func(t *testing.T) {
			runtimeDir, err := os.MkdirTemp("", "kk") // the path of t.TempDir is too long
			must(t, err)
			defer os.RemoveAll(runtimeDir)
			t.Setenv("XDG_RUNTIME_DIR", runtimeDir)
			var mu sync.Mutex
			var events []host.KeeperKilled
			h := open(t, host.Config{OnEvent: func(e host.Event) {
				if e, ok := e.(host.KeeperKilled); ok {
					mu.Lock()
					defer mu.Unlock()
					events = append(events, e)
				}
			}})
			mark, killed := newMark(), 0
			err = h.Nursery(t.Context(), host.NurseryConfig{}, func(ctx context.Context, n *host.Nursery) error {
				spec := spawn.Spec{Path: "sh", Args: []string{"sh", "-c", c.script, mark}}
				c.place(&spec)
				if _, err := n.Start(ctx, host.ChildConfig{Spec: spec}); err != nil {
					return err
				}
				if !awaitMarked(mark, c.sleeps) {
					return errors.New("they do not come up")
				}
				if c.wait {
					awaitRecord(t, runtimeDir, mark)
				}
				killed = keeperOf(t)
				return syscall.Kill(killed, syscall.SIGKILL)
			})
			if !errors.Is(err, spawn.ErrLost) {
				t.Errorf("the nursery: %v", err)
			}
			if left := marked(mark); len(left) > 0 {
				t.Errorf("still there: %v", left)
			}
			if left, _ := filepath.Glob(runtimeDir + "/*/*/" + keeper.RecordPrefix + strconv.Itoa(killed)); len(left) > 0 {
				t.Errorf("the record is still there: %v", left)
			}
			if s := wait(t, start(t, h, sh("exit 5")), 10*time.Second); s.Code != 5 {
				t.Errorf("the next child: %v", s)
			}
			must(t, h.Close())
			mu.Lock()
			defer mu.Unlock()
			if len(events) != 1 || events[0].Pid != killed || len(events[0].Ended) < c.sleeps || len(events[0].Left) > 0 {
				t.Errorf("events: %+v, want one of process %d with %d or more", events, killed, c.sleeps)
			}
		})
	}
}

// awaitRecord waits until the keeper has recorded the processes with a mark.
func awaitRecord(t *testing.T, runtimeDir, mark string) {
	t.Helper()
	recorded := func() bool {
		paths, _ := filepath.Glob(runtimeDir + "/*/*/" + keeper.RecordPrefix + "*")
		if len(paths) == 0 {
			return false
		}
		r, err := keeper.ReadRecord(paths[0])
		return err == nil && !slices.ContainsFunc(marked(mark), func(pid int) bool {
			return !slices.ContainsFunc(r.Entries, func(e keeper.Entry) bool { return e.Pid == pid })
		})
	}
	tick := time.NewTicker(20 * time.Millisecond) // that the keeper has looked is no event
	defer tick.Stop()
	for end := time.Now().Add(10 * time.Second); !recorded(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("%v are not all recorded", marked(mark))
		}
	}
}

// TestKeeperKilledInTheMiddleOfClose: its orphans end with Close.
func TestKeeperKilledInTheMiddleOfClose(t *testing.T) {
	h, err := host.Open(host.Config{})
	must(t, err)
	mark := newMark()
	spec := spawn.Spec{Path: "sh", Args: []string{"sh", "-c", `trap "kill -9 $PPID" TERM; sleep $0 & wait; sleep $0 & wait`, mark}, Session: true}
	start(t, h, spec)
	if !awaitMarked(mark, 1) {
		t.Fatal("it does not come up")
	}
	if err := h.Close(); err != nil && !errors.Is(err, spawn.ErrLost) {
		t.Error(err)
	}
	if left := marked(mark); len(left) > 0 {
		t.Errorf("still there: %v", left)
	}
}
