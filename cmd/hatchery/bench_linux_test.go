package main

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestBenchInterrupted ends a run of bench that would take long. What was
// measured so far is printed, and nothing stays behind.
func TestBenchInterrupted(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	program := filepath.Join(dir, "says-so")
	if err := syscall.Mkfifo(program+".fifo", 0o600); err != nil {
		t.Fatal(err)
	}
	said, err := os.OpenFile(program+".fifo", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	if err := os.WriteFile(program, []byte("#!/bin/sh\necho here >$0.fifo\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	s := begin(t, "bench", "--json", "--spawn-backend", "forkexec", "--program", "tiny", "--program", program, "--callers", "1", "--time", "1h")
	if line, err := bufio.NewReader(said).ReadString('\n'); err != nil {
		t.Fatal(line, err)
	}
	s.signal(syscall.SIGINT)
	var result struct {
		Complete bool             `json:"complete"`
		Rows     []map[string]any `json:"rows"`
	}
	if err := json.NewDecoder(s.out).Decode(&result); err != nil {
		t.Fatal(err, s.stderr.String())
	}
	s.cmd.Wait()
	if code := s.cmd.ProcessState.ExitCode(); code != 130 || s.stderr.Len() > 0 {
		t.Errorf("exit code %d, stderr %q", code, &s.stderr)
	}
	if result.Complete || len(result.Rows) < 4 {
		t.Errorf("complete %v, %d rows", result.Complete, len(result.Rows))
	}
	if left, _ := filepath.Glob(dir + "/hatchery-bench-*"); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}
