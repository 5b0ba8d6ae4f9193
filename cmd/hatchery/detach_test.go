//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestDetachedFromATerminalThatCloses: the hangup of the terminal, which ends the
// shell and all of its jobs, is nothing to a detached child, nor are the keys.
func TestDetachedFromATerminalThatCloses(t *testing.T) {
	work := t.TempDir()
	run := filepath.Join(work, "run")
	if err := os.Mkdir(run, 0o700); err != nil {
		t.Fatal(err)
	}
	fifo, ref := filepath.Join(work, "go"), filepath.Join(work, "ref")
	if err := syscall.Mkfifo(fifo, 0o666); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_RUNTIME_DIR", run)
	cmd := hatchery(t)
	path := cmd.Path
	cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", `"$0" run --detach -- sh -c 'read x <'"$2"'; exit 9' >"$1"; echo detached; sleep 1000`, path, ref, fifo}
	term := start(t, cmd)
	term.sees("detached")
	b, err := os.ReadFile(ref)
	if err != nil {
		t.Fatal(err)
	}
	term.types("\x03\x1c\x1a")
	term.ptmx.Close()
	ended := make(chan struct{})
	go func() { term.cmd.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		t.Fatal("the shell has survived its terminal")
	}
	list, _, _ := result(t, hatchery(t, "adopt"))
	before, _, listed := strings.Cut(list, "\n  "+strings.TrimSpace(string(b))+"\n") // other folders of this user are looked at, too
	if !listed || !strings.HasPrefix(before[strings.LastIndexByte(before, '\n')+1:], "running ") {
		t.Errorf("listed: %q", list)
	}
	adopter := hatchery(t, "adopt", strings.TrimSpace(string(b)), "--forget")
	if err := adopter.Start(); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(fifo, os.O_RDWR, 0) // which does not wait for a reader
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.WriteString("\n")
	adopter.Wait()
	if code := adopter.ProcessState.ExitCode(); code != 9 {
		t.Errorf("exit code %d, want 9", code)
	}
	if _, err := os.Stat(filepath.Join(run, "hatchery")); !os.IsNotExist(err) {
		t.Errorf("left behind: %v", err)
	}
}
