//go:build linux

package host_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// TestCountsReturn starts a thousand children one after the other and a
// thousand at 64 at a time, and counts what host and keeper have then.
func TestCountsReturn(t *testing.T) {
	h := open(t, host.Config{})
	spec := spawn.Spec{Path: tiny(t), Env: []string{}}
	many := func(n, callers int) {
		t.Helper()
		var wg sync.WaitGroup
		for range callers {
			wg.Go(func() {
				for range n / callers {
					p, err := h.Start(context.Background(), spec)
					if err != nil {
						t.Error(err)
						return
					}
					if s, err := p.Wait(); !s.Success() || err != nil {
						t.Errorf("%+v, %v", s, err)
					}
				}
			})
		}
		wg.Wait()
	}
	many(64, 64) // whatever is made once is there now
	keeper := keeperOf(t)
	before, files := leakcheck.Take(), keeperFiles(keeper)
	children := linux.Children(keeper)
	for _, callers := range []int{1, 64} {
		many(1000, callers)
		if left := before.Left(leakcheck.Patience); len(left) > 0 {
			t.Errorf("left after %d at a time: %q", callers, left)
		}
		if now := keeperFiles(keeper); now != files {
			t.Errorf("the keeper had %d descriptors, has %d", files, now)
		}
		if now := linux.Children(keeper); !slices.Equal(now, children) {
			t.Errorf("the keeper had the children %v, has %v", children, now)
		}
	}
}

func keeperFiles(pid int) int {
	names, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	return len(names)
}

// TestCanceledAtAnyMoment gives up spawns at all their stages. Start returns at
// once, and nothing is left running but what it said was started.
func TestCanceledAtAnyMoment(t *testing.T) {
	h := open(t, host.Config{})
	wait(t, start(t, h, sh("exit 0")), 10*time.Second)
	keeper := keeperOf(t)
	plugins := linux.Children(keeper)
	spec := spawn.Spec{Path: "sleep", Args: []string{"sleep", "1000"}}
	canceled := 0
	for i := range 300 {
		spec.Session = i%2 == 0 // a plan of its own
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*5*time.Microsecond)
		begin := time.Now()
		p, err := h.Start(ctx, spec)
		cancel()
		switch {
		case err == nil:
			if err := p.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
				t.Error(err)
			}
			wait(t, p, 10*time.Second)
		case !errors.Is(err, spawn.ErrTimeout) || !errors.Is(err, context.DeadlineExceeded):
			t.Errorf("after %v: %v", time.Since(begin), err)
		default:
			canceled++
		}
		if d := time.Since(begin); d > 2*time.Second {
			t.Errorf("it took %v: %v", d, err)
		}
	}
	if canceled == 0 {
		t.Error("none was too slow")
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(10 * time.Second); ; <-tick.C {
		now := linux.Children(keeper)
		if slices.Equal(now, plugins) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the keeper had the children %v, has %v", plugins, now)
		}
	}
}
