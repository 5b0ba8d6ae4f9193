//go:build linux

package host_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/helperproc"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// reluctant is a script that says so when it is up and each time it is asked to
// end, which it does not do.
const reluctant = `trap "" PIPE; trap echo TERM; echo; while :; do sleep $0 & wait $!; done`

// momentHelper is a host that says when it has come to a moment, and goes on.
func momentHelper(args []string) int {
	moment, mark := args[0], args[1]
	h, err := host.Open(host.Config{Timeouts: host.Timeouts{Grace: time.Minute}})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	switch moment {
	case "spawning":
		for i := range 8 {
			go func() {
				spec := spawn.Spec{Path: "sleep", Args: []string{"sleep", mark}, Session: i%2 == 0}
				for {
					if p, err := h.Start(context.Background(), spec); err == nil && i%3 != 0 {
						p.Kill()
					}
				}
			}()
		}
	case "stuck spawn":
		go h.StartMethod(context.Background(), "fault_plan_blocks", sh("true"))
	case "plugin start":
		go h.StartMethod(context.Background(), "fault_hang_family", sh("true"))
	case "closing":
		r, w, err := os.Pipe()
		if err != nil {
			return 1
		}
		spec := spawn.Spec{Path: "sh", Args: []string{"sh", "-c", reluctant, mark}, Files: []*os.File{nil, w}}
		if _, err := h.Start(context.Background(), spec); err != nil {
			fmt.Println(err)
			return 1
		}
		r.Read(make([]byte, 1)) // it is up
		go h.Close()
		r.Read(make([]byte, 1)) // it was asked to end
	}
	if moment == "stuck spawn" || moment == "plugin start" {
		keeper := linux.Children(os.Getpid())[0]
		tick := time.NewTicker(time.Millisecond)
		for len(familyOf(keeper)) < 2 {
			<-tick.C
		}
	}
	fmt.Println(os.Getpid())
	select {}
}

// TestHostKilledAtItsMoments: whatever a host is doing when it is killed,
// nothing of it is left.
func TestHostKilledAtItsMoments(t *testing.T) {
	for _, moment := range []string{"spawning", "stuck spawn", "plugin start", "closing"} {
		t.Run(moment, func(t *testing.T) {
			rounds := 1
			if moment == "spawning" {
				rounds = 5
			}
			for round := range rounds {
				mark, runtimeDir := newMark(), t.TempDir()
				must(t, os.Chmod(runtimeDir, 0o700))
				cmd := helperproc.Command("moment", moment, mark)
				cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+runtimeDir)
				lines(t, cmd)()
				timer := time.NewTimer(time.Duration(round) * 7 * time.Millisecond)
				<-timer.C // the moment is the point
				family := familyOf(cmd.Process.Pid)
				if len(family) == 0 {
					t.Fatal("it has no descendants")
				}
				must(t, cmd.Process.Kill())
				cmd.Wait()
				gone(t, 2*time.Second, family...)
				gone(t, time.Second, marked(mark)...) // born since
				if left, err := filepath.Glob(runtimeDir + "/*/*"); err != nil || len(left) > 0 {
					t.Errorf("folders left behind: %v, %v", left, err)
				}
			}
		})
	}
}

// TestKeeperFailsAtItsMoments kills and stops the keeper while the host starts a
// plugin, or a child, or is being closed: what is under way ends within its
// bound, and so does Close.
func TestKeeperFailsAtItsMoments(t *testing.T) {
	limits := host.Timeouts{Start: 2 * time.Second, Spawn: 2 * time.Second, Grace: time.Second, Close: 2 * time.Second}
	for name, sig := range map[string]syscall.Signal{"killed": syscall.SIGKILL, "stopped": syscall.SIGSTOP} {
		for _, method := range []string{"fault_hang", "fault_plan_blocks", "fault_plan_hang"} {
			t.Run(name+" during "+method, func(t *testing.T) {
				h, err := host.Open(host.Config{Timeouts: limits})
				must(t, err)
				defer h.Close()
				failed := make(chan error, 1)
				go func() {
					_, err := h.StartMethod(context.Background(), method, sh("true"))
					failed <- err
				}()
				n := 1
				if method == "fault_plan_blocks" {
					n = 2
				}
				family := append(awaitFamily(t, n), keeperOf(t))
				begin := time.Now()
				must(t, syscall.Kill(keeperOf(t), sig))
				err = <-failed
				if d := time.Since(begin); d > limits.Start+faultSlack {
					t.Errorf("Start returned after %v", d)
				}
				if !errors.Is(err, spawn.ErrTimeout) && !errors.Is(err, spawn.ErrKeeperGone) && !errors.Is(err, spawn.ErrPluginGone) {
					t.Errorf("Start: %v", err)
				}
				closesWithin(t, h, limits)
				gone(t, 2*time.Second, family...)
			})
		}
	}
}

// TestKeeperFailsDuringClose: Close still returns within its bound, and the
// children are gone.
func TestKeeperFailsDuringClose(t *testing.T) {
	limits := host.Timeouts{Grace: time.Second, Close: 2 * time.Second}
	for name, sig := range map[string]syscall.Signal{"killed": syscall.SIGKILL, "stopped": syscall.SIGSTOP} {
		t.Run(name, func(t *testing.T) {
			h, err := host.Open(host.Config{Timeouts: limits})
			must(t, err)
			defer h.Close()
			r, w, err := os.Pipe()
			must(t, err)
			defer r.Close()
			spec := spawn.Spec{Path: "sh", Args: []string{"sh", "-c", `trap echo TERM; echo; while :; do :; done`}, Files: []*os.File{nil, w}}
			p := start(t, h, spec)
			w.Close()
			r.Read(make([]byte, 1)) // it is up
			family := append(familyOf(keeperOf(t)), keeperOf(t))
			begin, closed := time.Now(), make(chan struct{})
			go func() {
				h.Close() // of a keeper that fails there may be an error
				close(closed)
			}()
			r.Read(make([]byte, 1)) // it was asked to end
			must(t, syscall.Kill(keeperOf(t), sig))
			<-closed
			if d := time.Since(begin); d > limits.Grace+limits.Close+faultSlack {
				t.Errorf("Close took %v", d)
			}
			gone(t, 2*time.Second, family...)
			if s := waitAny(t, p); s.Source == spawn.FromKernel && s.Signal != syscall.SIGKILL {
				t.Errorf("status %+v", s)
			}
		})
	}
}

// closesWithin closes the host and checks that it takes no longer than it may.
func closesWithin(t *testing.T, h *host.Host, limits host.Timeouts) {
	t.Helper()
	begin := time.Now()
	err := h.Close()
	if d := time.Since(begin); d > limits.Grace+limits.Close+faultSlack {
		t.Errorf("Close took %v: %v", d, err)
	}
}
