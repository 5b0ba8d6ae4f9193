package keeper

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// TestKilledBeforeTheProgram: a child that was stopped, or waits, before it has
// come to its step pdeathsig ends with its keeper, whatever its plan says.
func TestKilledBeforeTheProgram(t *testing.T) {
	fifo := t.TempDir() + "/fifo"
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	open := spawn.Open(spawn.Str(fifo), os.O_RDONLY, 0)
	plans := map[string]*spawn.Plan{
		"standard":     {Steps: []spawn.Step{spawn.Clone(0), open, spawn.Pdeathsig(syscall.SIGKILL)}},
		"another":      {Steps: []spawn.Step{spawn.Clone(0), open, spawn.Pdeathsig(syscall.SIGUSR1)}},
		"none":         {Steps: []spawn.Step{spawn.Clone(0), open}},
		"pid":          {Steps: []spawn.Step{spawn.Clone(syscall.CLONE_NEWUSER | syscall.CLONE_NEWPID), open}},
		"capabilities": {Steps: []spawn.Step{spawn.Clone(0), spawn.Unshare(syscall.CLONE_NEWUSER), open}},
	}
	if os.Getuid() == 0 {
		plans["user"] = &spawn.Plan{Steps: []spawn.Step{spawn.Clone(0), spawn.Setresgid(65534), spawn.Setresuid(65534), open}}
		for _, path := range []string{fifo, filepath.Dir(fifo), filepath.Dir(filepath.Dir(fifo))} {
			if err := os.Chmod(path, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, p := range plans {
		p.Steps = append(p.Steps, spawn.Files(), spawn.Exec(spawn.HolePath.Arg()))
		for _, stop := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				c := newClient(t)
				l := shell(t, "true")
				l.Plan = encode(t, p)
				over := make(chan error, 1)
				go func() {
					_, err := c.Launch(t.Context(), l, func(Exit) {})
					over <- err
				}()
				pid := atStep(t, c.Pid(), over)
				if stop {
					syscall.Kill(pid, syscall.SIGSTOP)
				}
				syscall.Kill(c.Pid(), syscall.SIGKILL)
				gone(t, 2*time.Second, pid)
				if err := <-over; err == nil {
					t.Error("no error")
				}
			})
		}
	}
}

// atStep returns the child of a keeper that waits in the opening of a fifo.
func atStep(t *testing.T, keeper int, over <-chan error) int {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); <-time.After(time.Millisecond) {
		for _, pid := range linux.Children(keeper) {
			if b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/syscall", pid)); strings.HasPrefix(string(b), fmt.Sprint(syscall.SYS_OPENAT, " ")) {
				return pid
			}
		}
		select {
		case err := <-over:
			t.Fatal(err)
		default:
		}
	}
	t.Fatal("the child does not come to its step")
	return 0
}
