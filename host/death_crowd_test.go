//go:build linux

package host_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/helperproc"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// crowdSize is how many children there are when somebody dies.
const crowdSize = 100

// TestPluginKilledWithManyChildren: they run on, and each is reported as it
// ended.
func TestPluginKilledWithManyChildren(t *testing.T) {
	hi := newHistory(t)
	h := open(t, host.Config{OnEvent: hi.event})
	r, w, err := os.Pipe()
	must(t, err)
	defer r.Close()
	defer w.Close()
	var procs []*host.Process
	for i := range crowdSize {
		spec := sh(fmt.Sprintf("read line; exit %d", i))
		spec.Files = []*os.File{r}
		procs = append(procs, start(t, h, spec))
	}
	plugin := hi.until(host.PluginReady, 10*time.Second).Pid
	must(t, syscall.Kill(plugin, syscall.SIGKILL))
	gone(t, time.Second, plugin)
	hi.until(host.PluginReady, 10*time.Second)
	for _, p := range procs {
		if !alive(p.Pid()) {
			t.Errorf("child %d died with the plugin", p.Pid())
		}
	}
	w.Close() // their cue
	for i, p := range procs {
		if s := wait(t, p, 10*time.Second); s.Code != i || s.Source != spawn.FromKernel {
			t.Errorf("child %d: %+v, want code %d", p.Pid(), s, i)
		}
	}
}

// crowd returns the script of a member of a crowd, and how many sleeps with the
// mark it becomes.
func crowd(i int) (script string, marked int) {
	switch i % 5 {
	case 0:
		return `exec sleep $0`, 1
	case 1:
		return `trap "" TERM HUP; exec sleep $0`, 1
	case 2:
		return `sleep $0 & trap "" TERM; sleep $0 & wait`, 2
	case 3:
		return `trap "" TERM HUP; (setsid sh -c 'exec sleep $0' $0 &); exec sleep $0`, 2
	default:
		return `(setsid sh -c '(exec sleep $0 &); exec sleep $0' $0 &); exec sleep $0`, 3
	}
}

// crowdHelper is a host with habits, whose children have a mark as argument. It
// says when all are there, and waits to be killed.
func crowdHelper(args []string) int {
	habit, mark := args[0], args[1]
	if err := takeHabit(habit); err != nil {
		fmt.Println(err)
		return 1
	}
	h, err := host.Open(host.Config{})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	want := 0
	for i := range crowdSize {
		script, marked := crowd(i)
		spec := spawn.Spec{Path: "sh", Args: []string{"sh", "-c", script, mark}, Session: i%3 == 0}
		if _, err := h.Start(context.Background(), spec); err != nil {
			fmt.Println(err)
			return 1
		}
		want += marked
	}
	if !awaitMarked(mark, want) {
		fmt.Println("they do not come up:", len(marked(mark)), "of", want)
		return 1
	}
	fmt.Println(want)
	select {}
}

// TestHostKilledWithManyChildren: nothing is left of them, whatever they do and
// whatever the embedding program does.
func TestHostKilledWithManyChildren(t *testing.T) {
	for _, habit := range []string{"none", "waits-for-all", "ignores-sigchld", "pid1"} {
		t.Run(habit, func(t *testing.T) {
			mark := newMark()
			runtimeDir := t.TempDir()
			must(t, os.Chmod(runtimeDir, 0o700))
			cmd := helperproc.Command("crowd", habit, mark)
			cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+runtimeDir)
			if habit == "pid1" {
				cmd.SysProcAttr = ownPids()
				skipWithoutPidNamespace(t)
			}
			want := lines(t, cmd)()[0]
			family := familyOf(cmd.Process.Pid)
			// The keeper, the plugin, and the shells that wait are there too.
			if len(family) < want+2 {
				t.Errorf("%d descendants, want %d and more", len(family), want+2)
			}
			must(t, cmd.Process.Kill())
			cmd.Wait()
			gone(t, 2*time.Second, family...)
			if left := marked(mark); len(left) > 0 {
				t.Errorf("still there: %v", left)
			}
			if left, err := filepath.Glob(runtimeDir + "/*/*"); habit != "pid1" && (err != nil || len(left) > 0) {
				t.Errorf("folders left behind: %v, %v", left, err)
			}
		})
	}
}

// ownPids puts a process into a PID namespace, whose first process it is.
func ownPids() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWPID | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{Size: 1, HostID: os.Getuid()}}, GidMappings: []syscall.SysProcIDMap{{Size: 1, HostID: os.Getgid()}},
	}
}

// skipWithoutPidNamespace skips a test where it cannot have a PID namespace.
func skipWithoutPidNamespace(t *testing.T) {
	t.Helper()
	cmd := helperproc.Command("ownproc")
	cmd.SysProcAttr = ownPids()
	if out, err := cmd.CombinedOutput(); errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) || err != nil && strings.Contains(string(out), "not permitted") {
		t.Skipf("needs a user and a PID namespace, and to mount /proc there: %v %s", err, out)
	} else if err != nil {
		t.Fatalf("%v %s", err, out)
	}
}

// ownProc mounts a /proc of a new PID namespace.
func ownProc() error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("mount /: %w", err)
	}
	if err := syscall.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	return nil
}

// ownProcHelper tries whether there can be a PID namespace.
func ownProcHelper([]string) int {
	if err := ownProc(); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// awaitMarked waits until n sleeps have the mark as argument.
func awaitMarked(mark string, n int) bool {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); <-tick.C {
		sleeps := 0
		for _, pid := range marked(mark) {
			if s, err := linux.ReadStat(pid); err == nil && s.Comm == "sleep" {
				sleeps++
			}
		}
		if sleeps >= n {
			return true
		}
	}
	return false
}
