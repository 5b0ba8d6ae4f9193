//go:build linux

package host_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
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

// hostHelper is a host that starts children, says the pids of all that must
// go with it, and waits to be killed. The child ignores SIGTERM and has a
// daemon: a session of its own, its parent gone.
func hostHelper(args []string) int {
	h, err := host.Open(host.Config{})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	r, w, err := os.Pipe()
	if err != nil {
		return 1
	}
	if args[0] != "idle" {
		spec := sh(`trap "" TERM; (setsid sh -c 'trap "" TERM; echo $$; while :; do sleep 100; done' & ); echo $$; while :; do sleep 100; done`)
		spec.Files = []*os.File{nil, w}
		if _, err := h.Start(context.Background(), spec); err != nil {
			fmt.Println(err)
			return 1
		}
	}
	buf := make([]byte, 256)
	said := ""
	for args[0] != "idle" && strings.Count(said, "\n") < 2 {
		n, err := r.Read(buf)
		if err != nil {
			return 1
		}
		said += string(buf[:n])
	}
	fmt.Print(strings.ReplaceAll(said, "\n", " "))
	for _, keeper := range linux.Children(os.Getpid()) {
		fmt.Print(keeper, " ")
		for _, child := range linux.Children(keeper) {
			fmt.Print(child, " ")
		}
	}
	if args[0] == "chroot" { // the keeper must not lose sight of anything
		if err := syscall.Chroot(os.Getenv("XDG_RUNTIME_DIR")); err != nil {
			fmt.Println(err)
			return 1
		}
	}
	fmt.Println()
	select {}
}

func TestHostKilled(t *testing.T) {
	for _, what := range []string{"idle", "child", "chroot"} {
		t.Run(what, func(t *testing.T) {
			if what == "chroot" && os.Getuid() != 0 {
				t.Skip("needs root, to change the root directory")
			}
			runtimeDir := t.TempDir()
			cmd := helperproc.Command("host", what)
			cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+runtimeDir)
			os.Chmod(runtimeDir, 0o700)
			pids := lines(t, cmd)()
			if what != "idle" && len(pids) < 5 {
				t.Fatalf("processes %v: want child, daemon, keeper and its children", pids)
			}
			for _, pid := range pids {
				if !alive(pid) {
					t.Errorf("process %d of %v is not running", pid, pids)
				}
			}
			cmd.Process.Kill()
			cmd.Wait()
			gone(t, 2*time.Second, pids...)
			left, err := filepath.Glob(runtimeDir + "/*/*")
			if err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

func TestKeeperKilled(t *testing.T) {
	h := open(t, host.Config{})
	p := start(t, h, sh("sleep 100"))
	stat, err := linux.ReadStat(p.Pid())
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(stat.Parent, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	s, err := lostWait(t, p)
	if s.Source != spawn.Lost || !errors.Is(err, spawn.ErrLost) || s.Reason == "" {
		t.Errorf("status %+v, error %v; want lost", s, err)
	}
	gone(t, time.Second, p.Pid())
	// The same host works again, by a new keeper.
	if s := wait(t, start(t, h, sh("exit 5")), 10*time.Second); s.Code != 5 {
		t.Errorf("the next child: %v", s)
	}
	if err := h.Close(); err != nil {
		t.Error("Close: ", err)
	}
}

func lostWait(t *testing.T, p *host.Process) (spawn.ExitStatus, error) {
	t.Helper()
	select {
	case <-p.Done():
	case <-time.After(5 * time.Second):
		t.Fatal("the death of the keeper was not noticed")
	}
	return p.Wait()
}

// TestPluginKilled: running children do not notice, and the next spawn gets a
// new plugin.
func TestPluginKilled(t *testing.T) {
	h := open(t, host.Config{})
	p := ready(t, h, `echo; while :; do sleep 1; done`)
	defer p.Kill()
	keeper, err := linux.ReadStat(p.Pid())
	if err != nil {
		t.Fatal(err)
	}
	plugin := 0
	for _, pid := range linux.Children(keeper.Parent) {
		if pid != p.Pid() {
			plugin = pid
		}
	}
	syscall.Kill(plugin, syscall.SIGKILL)
	gone(t, time.Second, plugin)
	if !alive(p.Pid()) {
		t.Error("the child died with the plugin")
	}
	spec := sh("exit 4")
	spec.Session = true // another shape: the plugin is asked
	if s := wait(t, start(t, h, spec), 10*time.Second); s.Code != 4 {
		t.Errorf("the next child: %v", s)
	}
	p.Kill()
	if s := wait(t, p, time.Second); s.Signal != syscall.SIGKILL {
		t.Errorf("the running child: %v", s)
	}
}

// takeHabit gives an embedding program a habit that could be in a host's way.
func takeHabit(habit string) error {
	switch habit {
	case "ignores-sigchld":
		signal.Ignore(syscall.SIGCHLD)
	case "waits-for-all":
		go func() {
			for {
				var ws syscall.WaitStatus
				pid, err := syscall.Wait4(-1, &ws, 0, nil)
				if err == nil {
					fmt.Println("stole", pid)
				}
			}
		}()
	case "pid1":
		return ownProc()
	}
	return nil
}

// embedHelper is an embedding program with habits of its own.
func embedHelper(args []string) int {
	if err := takeHabit(args[0]); err != nil {
		fmt.Println(err)
		return 1
	}
	if args[0] == "limit" {
		h, err := host.Open(host.Config{})
		if err != nil {
			fmt.Println(err)
			return 1
		}
		defer h.Close()
		cmd := h.Command("sh", "-c", "ulimit -Sn")
		cmd.Stdout = os.Stdout
		if err := cmd.Run(); err != nil {
			fmt.Println(err)
		}
		return 0
	}
	h, err := host.Open(host.Config{})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	for i := range 50 {
		err := h.Command("sh", "-c", fmt.Sprintf("exit %d", i)).Run()
		var ee *spawn.ExitError
		if i > 0 && (!errors.As(err, &ee) || ee.Code != i) || i == 0 && err != nil {
			fmt.Printf("exit %d: %v\n", i, err)
			return 1
		}
	}
	if err := h.Close(); err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("50 right")
	return 0
}

func TestEmbeddingProgramKeepsItsChildren(t *testing.T) {
	for _, habit := range []string{"ignores-sigchld", "waits-for-all"} {
		out, err := helperproc.Command("embed", habit).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "50 right") {
			t.Errorf("%s: %v\n%s", habit, err, out)
		}
		// It may see the end of its one child, the keeper.
		if n := strings.Count(string(out), "stole"); n > 1 {
			t.Errorf("%s: it took %d children:\n%s", habit, n, out)
		}
	}
}

func TestHostIsPid1(t *testing.T) {
	skipWithoutPidNamespace(t)
	cmd := helperproc.Command("embed", "pid1")
	cmd.SysProcAttr = ownPids()
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "50 right") {
		t.Errorf("%v\n%s", err, out)
	}
}

// noInitHelper opens a host as a program that forgot Init would.
func noInitHelper(args []string) int {
	host.ForgetInit()
	_, err := host.Open(host.Config{})
	fmt.Println(err)
	return 0
}

func helperOutput(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := helperproc.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// runUnder runs a helper behind a line of shell.
func runUnder(t *testing.T, line, name string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command("sh", append([]string{"-c", line + `; exec "$0" "$@"`, helperproc.Path()}, args...)...)
	cmd.Env = append(os.Environ(), helperproc.Env(name))
	out, err := cmd.CombinedOutput()
	return string(out), err
}
