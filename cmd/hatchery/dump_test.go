//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/keeper"
	"github.com/hatchery-spawn/hatchery/internal/linux"
)

func TestDumpOfARun(t *testing.T) {
	s := begin(t, "run", "--", "sh", "-c", "echo up; sleep 1000; :")
	s.hears("up")
	pid := strconv.Itoa(s.cmd.Process.Pid)
	out, stderr, code := result(t, hatchery(t, "dump", pid))
	for _, want := range []string{
		"hatchery dump of process " + pid, "== waits of the host", "hatchery-plugin forkexec\n", `sh -c "echo up; sleep 1000; :"`,
		"\ngoroutine 1 [", "\n-- forkexec, process ", "== end of the dump\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("does not say %q (%s)\n%s", want, stderr, out)
		}
	}
	if code != 0 || stderr != "" {
		t.Errorf("code %d, stderr %q", code, stderr)
	}

	file := filepath.Join(t.TempDir(), "hang.txt")
	if out, stderr, code := result(t, hatchery(t, "dump", pid, "--out", file)); code != 0 || out+stderr != "" {
		t.Errorf("--out: code %d, %q", code, out+stderr)
	}
	st, err := os.Stat(file)
	if err != nil || st.Mode() != 0o600 || st.Size() < 1000 {
		t.Errorf("the file: %+v, %v", st, err)
	}
	if _, stderr, code := result(t, hatchery(t, "dump", pid, "--out", file)); code != 125 || !strings.Contains(stderr, "exists") {
		t.Errorf("over a file that is there: code %d, %q", code, stderr)
	}

	s.signal(syscall.SIGSTOP)
	defer s.signal(syscall.SIGCONT)
	out, _, code = result(t, hatchery(t, "dump", pid))
	if code != 0 || !strings.Contains(out, "seen from outside") || !strings.Contains(out, "sleep 1000\n") {
		t.Errorf("of a stopped run: code %d\n%s", code, out)
	}
}

// TestReapOfARun: a run that was killed with its keeper leaves a daemon.
func TestReapOfARun(t *testing.T) {
	dir := t.TempDir()
	os.Chmod(dir, 0o700)
	t.Setenv("XDG_RUNTIME_DIR", dir)
	t.Setenv("TMPDIR", dir)
	if out, _, code := result(t, hatchery(t, "reap")); code != 0 || out == "" {
		t.Errorf("code %d, %q", code, out)
	}
	s := begin(t, "run", "--", "sh", "-c", "sleep 1000 2>/dev/null & echo $!; wait; :")
	daemon, err := strconv.Atoi(s.hears(""))
	if err != nil {
		t.Fatal(err)
	}
	out, _, code := result(t, hatchery(t, "reap"))
	if !strings.Contains(out, ": its host is running: left alone\n") || code != 0 || !alive(daemon) {
		t.Fatalf("code %d: %q", code, out)
	}
	keeper := linux.Children(s.cmd.Process.Pid)[0]
	eventually(t, func() bool { return recorded(dir, daemon) })
	s.signal(syscall.SIGSTOP) // it would end the daemon itself
	syscall.Kill(keeper, syscall.SIGSTOP)
	eventually(t, func() bool { st, _ := linux.ReadStat(keeper); return st.State == 'T' })
	syscall.Kill(keeper, syscall.SIGKILL)
	s.cmd.Process.Kill()
	s.cmd.Process.Wait() // Wait would wait for the daemon, which has the output

	out, _, code = result(t, hatchery(t, "reap", "--dry-run"))
	if want := fmt.Sprintf("  would terminate %d (sleep): recorded by its keeper\n", daemon); !strings.Contains(out, want) || !alive(daemon) {
		t.Errorf("code %d, %q, want %q", code, out, want)
	}
	out, _, code = result(t, hatchery(t, "reap", "--json"))
	if !strings.Contains(out, `"action": "terminated"`) || !strings.Contains(out, `"removed": true`) || code != 0 || alive(daemon) {
		t.Errorf("code %d: %s", code, out)
	}
	if left, _ := filepath.Glob(dir + "/hatchery/*"); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// recorded reports whether a keeper has noted a process.
func recorded(runtimeDir string, pid int) bool {
	paths, _ := filepath.Glob(filepath.Join(runtimeDir, "hatchery", "*", keeper.RecordPrefix+"*"))
	for _, path := range paths {
		r, _ := keeper.ReadRecord(path)
		for _, e := range r.Entries {
			if e.Pid == pid {
				return true
			}
		}
	}
	return false
}

// eventually waits for something that is no event.
func eventually(t *testing.T, true func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(20 * time.Second); !true(); <-tick.C {
		if time.Now().After(end) {
			t.Fatal("it has not come about in 20 s")
		}
	}
}
