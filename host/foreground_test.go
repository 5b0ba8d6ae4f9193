//go:build linux

package host_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/helperproc"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// TestForeground has a host on a terminal of its own start children in the
// foreground.
func TestForeground(t *testing.T) {
	cmd := helperproc.Command("foreground", t.TempDir())
	ptmx, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer ptmx.Close()
	timer := time.AfterFunc(20*time.Second, func() { cmd.Process.Kill() })
	defer timer.Stop()
	var shown bytes.Buffer
	for buf := make([]byte, 100); ; {
		n, err := ptmx.Read(buf)
		if bytes.Contains(buf[:n], []byte("press")) {
			io.WriteString(ptmx, "\x03")
		}
		if shown.Write(buf[:n]); err != nil {
			break
		}
	}
	if err := cmd.Wait(); err != nil || !strings.Contains(shown.String(), "all is well") {
		t.Errorf("%v, it says:\n%s", err, &shown)
	}
}

func foregroundHelper(args []string) int {
	h, err := host.Open(host.Config{})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer h.Close()
	for _, f := range []func(*host.Host, string) error{foregroundRuns, foregroundIsInterrupted, foregroundFails, foregroundOfAProcess, foregroundElsewhere} {
		if err := f(h, args[0]); err != nil {
			fmt.Println(err)
			return 1
		}
		if group, err := linux.Foreground(0); err != nil || group != syscall.Getpgrp() {
			fmt.Println("in the foreground:", group, err)
			return 1
		}
	}
	fmt.Println("all is well")
	return 0
}

// inForeground returns a command that will get the terminal.
func inForeground(h *host.Host, name string, arg ...string) *host.Cmd {
	cmd := h.Command(name, arg...)
	terminal := 0
	cmd.Stdin, cmd.Spec.Group, cmd.Spec.Foreground = os.Stdin, spawn.NewGroup, &terminal
	return cmd
}

// The child has the terminal from the beginning, and the host has it again.
func foregroundRuns(h *host.Host, _ string) error {
	for range 3 {
		out, err := inForeground(h, "cat", "/proc/self/stat").Output()
		f := strings.Fields(string(out))
		if err != nil || len(f) < 8 || f[0] != f[4] || f[0] != f[7] {
			return fmt.Errorf("child: %q, %v", out, err)
		}
	}
	return nil
}

// A key reaches the child, and the host not.
func foregroundIsInterrupted(h *host.Host, _ string) error {
	cmd := inForeground(h, "sh", "-c", "echo press Ctrl-C; exec sleep 60")
	cmd.Stdout = os.Stdout
	if err := cmd.Run(); err == nil || cmd.ProcessState.Signal != syscall.SIGINT {
		return fmt.Errorf("interrupted: %v", err)
	}
	return nil
}

// The exec is behind the step that gives the terminal away.
func foregroundFails(h *host.Host, dir string) error {
	path := filepath.Join(dir, "broken")
	if err := os.WriteFile(path, []byte("#!/no/such/interpreter\n"), 0o755); err != nil {
		return err
	}
	if err := inForeground(h, path).Run(); err == nil {
		return fmt.Errorf("%s was executed", path)
	}
	return nil
}

// Who uses no Cmd takes the terminal back himself, from the background.
func foregroundOfAProcess(h *host.Host, _ string) error {
	terminal := 0
	p, err := h.Start(context.Background(), spawn.Spec{Path: "cat", Args: []string{"cat", "/dev/null"}, Group: spawn.NewGroup, Files: []*os.File{os.Stdin}, Foreground: &terminal})
	if err != nil {
		return err
	}
	p.Wait()
	if group, err := linux.Foreground(0); err != nil || group != p.Pid() {
		return fmt.Errorf("the host took the terminal back by itself: %d, %v", group, err)
	}
	return host.TakeForeground(os.Stdin)
}

// A terminal that another group has by the end is not taken from it.
func foregroundElsewhere(h *host.Host, _ string) error {
	other := h.Command("sleep", "60")
	other.Spec.Group = spawn.NewGroup
	if err := other.Start(); err != nil {
		return err
	}
	defer func() { other.Process.Kill(); other.Wait() }()
	cmd := inForeground(h, "cat")
	cmd.Stdin = nil
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	terminal := 3
	cmd.ExtraFiles, cmd.Spec.Foreground = []*os.File{os.Stdin}, &terminal
	if err := cmd.Start(); err != nil {
		return err
	}
	if err := linux.SetForeground(0, other.Process.Pid()); err != nil {
		return err
	}
	in.Close()
	if err := cmd.Wait(); err != nil {
		return err
	}
	if group, err := linux.Foreground(0); err != nil || group != other.Process.Pid() {
		return fmt.Errorf("the terminal was taken from group %d: %d, %v", other.Process.Pid(), group, err)
	}
	return host.TakeForeground(os.Stdin)
}
