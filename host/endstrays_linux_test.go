package host_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// TestEndStrays: a daemon of which nobody can tell whose it is ends, and neither a
// child that runs nor what is below it.
func TestEndStrays(t *testing.T) {
	h := open(t, host.Config{})
	running, err := h.Start(t.Context(), spawn.Spec{Path: "sh", Args: []string{"sh", "-c", "sleep 600 & wait"}})
	must(t, err)
	eventually(t, func() bool { return len(linux.Children(running.Pid())) == 1 })
	below := linux.Children(running.Pid())[0]
	for _, way := range []string{"exec sleep 600", `trap "" TERM; while :; do sleep 600; done`} {
		file := filepath.Join(t.TempDir(), "pid")
		out, err := h.Command("sh", "-c", `setsid sh -c 'echo $$ >"$0"; `+way+`' "$0" >/dev/null 2>&1 &
			while ! test -s "$0"; do sleep 0.01; done`, file).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		text, err := os.ReadFile(file)
		must(t, err)
		var pid int
		_, err = fmt.Sscan(string(text), &pid)
		must(t, err)
		if !exists(pid) {
			t.Fatalf("the daemon, process %d, has ended by itself", pid)
		}
		ended, err := h.EndStrays(t.Context())
		if err != nil || !slices.ContainsFunc(ended, func(o host.Orphan) bool { return o.Pid == pid }) {
			t.Errorf("%s: %v, %v ended, not %d", way, err, ended, pid)
		}
		eventually(t, func() bool { return !exists(pid) }) // it may still be a zombie
	}
	if !exists(running.Pid()) || !exists(below) {
		t.Error("what runs has ended")
	}
	if ended, err := h.EndStrays(t.Context()); err != nil || len(ended) > 0 {
		t.Errorf("of nobody: %v, %v", ended, err)
	}
}

func exists(pid int) bool { return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

func TestPidfd(t *testing.T) {
	h := open(t, host.Config{})
	p, err := h.Start(t.Context(), spawn.Spec{Path: "sleep", Args: []string{"sleep", "600"}})
	must(t, err)
	f, err := p.Pidfd()
	must(t, err)
	defer f.Close()
	must(t, linux.PidfdSignal(int(f.Fd()), syscall.SIGUSR1))
	if s, err := p.Wait(); s.Signal != syscall.SIGUSR1 {
		t.Error(s, err)
	}
	if f, err := p.Pidfd(); !errors.Is(err, os.ErrProcessDone) {
		t.Error(f, err)
	}
	if err := linux.PidfdSignal(int(f.Fd()), syscall.SIGUSR1); !errors.Is(err, syscall.ESRCH) {
		t.Error(err)
	}
}

func TestFolder(t *testing.T) {
	h, err := host.Open(host.Config{})
	must(t, err)
	st, err := os.Stat(h.Folder())
	if err != nil || st.Mode().Perm() != 0o700 {
		t.Error(st, err)
	}
	must(t, os.WriteFile(filepath.Join(h.Folder(), "mine"), nil, 0o600))
	must(t, h.Close())
	if _, err := os.Stat(h.Folder()); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}
