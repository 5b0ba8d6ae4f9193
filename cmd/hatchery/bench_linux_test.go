package main

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestBenchInterrupted ends a run of bench that would take long. What was
// measured so far is printed, where there is still somebody to print it, and
// however it ends, nothing stays behind.
func TestBenchInterrupted(t *testing.T) {
	for _, tc := range []struct {
		sig  syscall.Signal
		code int
	}{
		{syscall.SIGINT, 130}, {syscall.SIGTERM, 143}, {syscall.SIGHUP, 129}, {syscall.SIGQUIT, 2}, {syscall.SIGKILL, -1},
	} {
		t.Run(tc.sig.String(), func(t *testing.T) {
			s := beginBench(t)
			s.signal(tc.sig)
			if tc.code > 128 {
				checkInterrupted(t, s)
			}
			s.ends(tc.code)
			if tc.code > 128 && s.stderr.Len() > 0 {
				t.Errorf("it says %q", &s.stderr)
			}
			eventually(t, func() bool {
				left, _ := filepath.Glob(os.Getenv("TMPDIR") + "/hatchery-*/*") // those of host and keeper, too
				folders, _ := filepath.Glob(os.Getenv("TMPDIR") + "/hatchery-bench-*")
				return len(left)+len(folders) == 0
			})
		})
	}
}

// beginBench starts a run that takes an hour, and returns when it measures.
func beginBench(t *testing.T) *session {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Setenv("XDG_RUNTIME_DIR", "")
	program := filepath.Join(dir, "says-so")
	if err := syscall.Mkfifo(program+".fifo", 0o600); err != nil {
		t.Fatal(err)
	}
	said, err := os.OpenFile(program+".fifo", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { said.Close() })
	if err := os.WriteFile(program, []byte("#!/bin/sh\necho here >$0.fifo\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	s := begin(t, "bench", "--json", "--spawn-backend", "forkexec", "--program", program, "--program", "tiny", "--callers", "1", "--time", "1h")
	lines := bufio.NewReader(said)
	for range 5 { // more than the programs and the methods are tried out
		if line, err := lines.ReadString('\n'); err != nil {
			t.Fatal(line, err)
		}
	}
	return s
}

// checkInterrupted reads the result of a run that was ended early.
func checkInterrupted(t *testing.T, s *session) {
	t.Helper()
	var result struct {
		Complete bool             `json:"complete"`
		Rows     []map[string]any `json:"rows"`
	}
	if err := json.NewDecoder(s.out).Decode(&result); err != nil {
		t.Fatal(err, s.stderr.String())
	}
	if result.Complete || len(result.Rows) < 4 {
		t.Errorf("complete %v, %d rows", result.Complete, len(result.Rows))
	}
}

// TestBenchProgress shows a bar on a terminal that can do it, and takes it away.
func TestBenchProgress(t *testing.T) {
	cmd := hatchery(t, "bench", "--spawn-backend", "forkexec", "--program", "tiny", "--callers", "1", "--time", "1s")
	cmd.Env = append(cmd.Env, "TERM=xterm")
	term := start(t, cmd)
	term.sees("\r\x1b[K░")
	term.sees("left: ")
	term.sees("\r\x1b[Klinux/")
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	<-term.read
	if after := term.shown.String()[term.seen:]; strings.Contains(after, "\x1b") || !strings.Contains(after, "one at a time") {
		t.Errorf("then it shows %q", after)
	}
}
