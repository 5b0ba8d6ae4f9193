package isolate_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/backends/isolate"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/host/inspect"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/sdk"
)

// allLimits are the options of a child that has whatever control group there is.
func allLimits() []string {
	return []string{"memory=64m", "pids=50", "cpus=1", "cpu_time=1h", "wall=1h", "best_effort=cgroup"}
}

// parent returns the keeper of a child.
func parent(t *testing.T, pid int) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "PPid:\t")
	line, _, _ := strings.Cut(rest, "\n")
	n, err := strconv.Atoi(line)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// groups returns the control groups that a keeper has made.
func groups(t *testing.T, keeper int) []string {
	t.Helper()
	var all []string
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		f := strings.Fields(line)
		if !strings.Contains(line, " - cgroup") || len(f) < 5 {
			continue
		}
		filepath.WalkDir(f[4], func(path string, d os.DirEntry, err error) error {
			if err == nil && strings.HasPrefix(d.Name(), fmt.Sprintf("hatchery-%d-", keeper)) {
				all = append(all, path)
			}
			return nil
		})
	}
	return all
}

// noGroups waits until nothing is left of a keeper's.
func noGroups(t *testing.T, keeper int) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for left := groups(t, keeper); len(left) > 0; left = groups(t, keeper) {
		if time.Now().After(deadline) {
			t.Fatalf("left: %q", left)
		}
		<-time.After(5 * time.Millisecond) // that a folder has gone is no event
	}
}

// TestLimitsLeaveNothing: of many runs, some of which fail, no control group is
// left when the host is closed.
func TestLimitsLeaveNothing(t *testing.T) {
	reg, err := registry.New(sdk.Entry(isolate.New()))
	if err != nil {
		t.Fatal(err)
	}
	openHost(t) // skips
	h, err := host.Open(host.Config{Registry: reg, Method: isolate.Key})
	if err != nil {
		t.Fatal(err)
	}
	keeper := 0
	for i := range 100 {
		c := shell(h, "read x; exit 0", allLimits()...)
		if i%10 == 9 {
			c.Path = "/nonexistent"
			if err := c.Run(); !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
			continue
		}
		in, err := c.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		if keeper == 0 {
			keeper = parent(t, c.Process.Pid())
			if made := groups(t, keeper); (len(made) == 0) == slices.ContainsFunc(c.Process.Notes(), grouped) {
				t.Fatalf("control groups %q, notes %q", made, c.Process.Notes())
			}
		}
		in.Close()
		if err := c.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	if left := groups(t, keeper); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}

func grouped(note string) bool { return strings.Contains(note, ": a control group of") }

// hostWithLimits is a program that starts a child, says who they all are, and
// waits to be killed, or to be told to start another child.
func hostWithLimits(t *testing.T) {
	h := openHost(t)
	in := bufio.NewScanner(os.Stdin)
	for {
		c := shell(h, "sleep 1000", allLimits()...)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		fmt.Println("child", parent(t, c.Process.Pid()), c.Process.Pid())
		if !in.Scan() {
			return
		}
	}
}

// TestLimitsOfTheKilled: whoever of host, keeper and plugin is killed, no child is
// left, and no control group.
func TestLimitsOfTheKilled(t *testing.T) {
	if os.Getenv("INNER") != "" {
		hostWithLimits(t)
		return
	}
	openHost(t) // skips
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Setenv("XDG_RUNTIME_DIR", dir)
	for _, who := range []string{"host", "keeper", "plugin", "host and keeper"} {
		t.Run(who, func(t *testing.T) {
			cmd := exec.Command("/proc/self/exe", "-test.run=^TestLimitsOfTheKilled$")
			cmd.Env = append(os.Environ(), "INNER=1")
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
			lines := bufio.NewReader(out)
			next := func() (keeper, child int) {
				line, err := lines.ReadString('\n')
				if n, _ := fmt.Sscanf(line, "child %d %d", &keeper, &child); n != 2 {
					t.Fatalf("%q, %v", line, err)
				}
				return keeper, child
			}
			keeper, child := next()
			made := groups(t, keeper)
			if strings.Contains(who, "host") { // first: it would start another keeper
				syscall.Kill(cmd.Process.Pid, syscall.SIGSTOP)
			}
			switch who {
			case "host":
				cmd.Process.Kill()
			case "keeper":
				syscall.Kill(keeper, syscall.SIGKILL)
			case "plugin":
				syscall.Kill(plugin(t, keeper, child), syscall.SIGKILL)
				in.Write([]byte("again\n"))
				if again, _ := next(); again != keeper {
					t.Errorf("it is the keeper %d now, and was %d", again, keeper)
				}
				if len(groups(t, keeper)) != 2*len(made) {
					t.Errorf("control groups %q, then %q", made, groups(t, keeper))
				}
				in.Close()
			case "host and keeper":
				syscall.Kill(keeper, syscall.SIGKILL)
				cmd.Process.Kill()
				cmd.Wait()
				reap(t, keeper, made)
			}
			noGroups(t, keeper)
		})
	}
}

// plugin returns the child of a keeper that is not the given one.
func plugin(t *testing.T, keeper, child int) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", keeper, keeper))
	if err != nil {
		t.Skip(err)
	}
	found := 0
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", keeper))
	for _, path := range tasks {
		more, _ := os.ReadFile(path)
		b = append(b, more...)
	}
	for _, f := range strings.Fields(string(b)) {
		if n, _ := strconv.Atoi(f); n != child {
			found = n
		}
	}
	if found == 0 {
		t.Fatal("there is no plugin")
	}
	return found
}

// reap has what is left found, and then removed.
func reap(t *testing.T, keeper int, made []string) {
	t.Helper()
	left := groups(t, keeper)
	if len(left) != len(made) {
		t.Errorf("left: %q, of %q", left, made)
	}
	r, err := inspect.Reap(t.Context(), inspect.ReapConfig{})
	if err != nil {
		t.Error(err)
	}
	var removed []string
	for _, f := range r.Folders {
		for _, dir := range f.Made {
			if strings.Contains(dir, fmt.Sprintf("hatchery-%d-", keeper)) {
				removed = append(removed, dir)
			}
		}
	}
	if len(removed) != len(left) {
		t.Errorf("reaped %q, of %q", removed, left)
	}
}
