//go:build linux && (amd64 || arm64)

package launch

import (
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// onTerminal, in the environment, says that this is the process that leads the
// session of a terminal of its own.
const onTerminal = "LAUNCH_TEST_ON_TERMINAL"

// TestForeground brings the groups of children to the foreground: of one that
// has it from its parent, of one whose parent is in the background, and a
// group that is there already.
func TestForeground(t *testing.T) {
	if os.Getenv(onTerminal) == "" {
		again := exec.Command("/proc/self/exe", "-test.run=^TestForeground$", "-test.v")
		again.Env = append(os.Environ(), onTerminal+"=1")
		master, err := pty.Start(again)
		if err != nil {
			t.Skip("needs a pseudoterminal: ", err)
		}
		defer master.Close()
		out, _ := io.ReadAll(master) // it ends with EIO
		if err := again.Wait(); err != nil || !strings.Contains(string(out), "--- PASS") {
			t.Fatalf("on a terminal: %v\n%s", err, out)
		}
		return
	}
	f := newFixture(t)
	tty := 0
	spec := &spawn.Spec{Group: spawn.NewGroup, Foreground: &tty}
	for range 3 {
		pid, group, foreground := f.groups(t, spec)
		if group != pid || foreground != pid {
			t.Errorf("process %d, group %d, in the foreground %d", pid, group, foreground)
		}
	}
	spec.Group = unix.Getpgrp()
	if _, group, foreground := f.groups(t, spec); group != spec.Group || foreground != spec.Group {
		t.Errorf("group %d, in the foreground %d, want %d", group, foreground, spec.Group)
	}
}

// groups launches a child on the terminal and returns its id, its group and
// the terminal's foreground group as it sees them.
func (f *fixture) groups(t *testing.T, s *spawn.Spec) (pid, group, foreground int) {
	t.Helper()
	out, ws, err := f.output(t, &Request{
		Plan: spawn.Standard(s), Path: "/bin/cat", Args: []string{"cat", "/proc/self/stat"}, Files: []File{{0, 0}},
	})
	if err != nil || ws != 0 {
		t.Fatalf("%q, status %v, %v", out, ws, err)
	}
	fields := strings.Fields(out) // proc_pid_stat(5)
	num := func(i int) int {
		n, err := strconv.Atoi(fields[i])
		if err != nil {
			t.Fatalf("%q: %v", out, err)
		}
		return n
	}
	return num(0), num(4), num(7)
}
