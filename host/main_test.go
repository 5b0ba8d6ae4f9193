//go:build linux

package host_test

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/backends/forkexec"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/faultplugin"
	"github.com/hatchery-spawn/hatchery/internal/helperproc"
	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/sdk"
	"github.com/hatchery-spawn/hatchery/spawn"
)

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "spawn-backend-forkexec" { // see externalBackend
		os.Exit(sdk.Main(forkexec.New()))
	}
	if strings.HasPrefix(filepath.Base(os.Args[0]), "spawn-backend-fault_") {
		os.Exit(faultplugin.Main(os.Args[0])) // a link to this binary is a plugin
	}
	serveAsPlugin() // any other
	serveBare()
	host.Init(append(testEntries(), faultplugin.Entries()...)...)
	run := func() int { return leakcheck.Main(m) }
	os.Exit(helperproc.Main(run, map[string]helperproc.Func{
		"detach":       detachHelper,
		"detachpid1":   detachPid1Helper,
		"hang":         hangHelper,
		"host":         hostHelper,
		"embed":        embedHelper,
		"crowd":        crowdHelper,
		"moment":       momentHelper,
		"ownproc":      ownProcHelper,
		"reuse":        reuseHelper,
		"noinit":       noInitHelper,
		"environ":      environHelper,
		"descriptors":  descriptorsHelper,
		"change":       changeHelper,
		"differential": differentialHelper,
		"succession":   successionHelper,
		"twokeepers":   twoKeepersHelper,
		"input":        inputHelper,
		"foreground":   foregroundHelper,
		"pressure":     pressureHelper,
		"unread":       unreadHelper,
		"where":        whereHelper,
	}))
}

func open(t testing.TB, cfg host.Config) *host.Host {
	t.Helper()
	h, err := host.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error("Close: ", err)
		}
	})
	return h
}

// sh returns the Spec of a shell script.
func sh(script string) spawn.Spec {
	return spawn.Spec{Path: "sh", Args: []string{"sh", "-c", script}}
}

// start starts a child that the test is sure of.
func start(t testing.TB, h *host.Host, spec spawn.Spec) *host.Process {
	t.Helper()
	p, err := h.Start(context.Background(), spec)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// wait waits for a child, but not for ever.
func wait(t testing.TB, p *host.Process, limit time.Duration) spawn.ExitStatus {
	t.Helper()
	select {
	case <-p.Done():
	case <-time.After(limit):
		p.Kill()
		t.Fatalf("child %d has not ended within %v", p.Pid(), limit)
	}
	s, err := p.Wait()
	if err != nil {
		t.Error(err)
	}
	return s
}

// alive reports whether a process that is not a zombie has this pid.
func alive(pid int) bool {
	s, err := linux.ReadStat(pid)
	return err == nil && s.State != 'Z' && s.State != 'X'
}

// gone waits for the end of processes that are not this program's children,
// which is no event that it could wait for.
func gone(t testing.TB, limit time.Duration, pids ...int) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(limit); ; <-tick.C {
		var left []int
		for _, pid := range pids {
			if alive(pid) {
				left = append(left, pid)
			}
		}
		switch {
		case len(left) == 0:
			return
		case time.Now().After(end):
			t.Fatalf("processes %v are still there after %v", left, limit)
		}
	}
}

// lines runs a helper and returns a function that reads what it says, a line
// of numbers at a time.
func lines(t *testing.T, cmd *exec.Cmd) func() []int {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	in := bufio.NewReader(out)
	return func() []int {
		t.Helper()
		line, err := in.ReadString('\n')
		if err != nil {
			t.Fatal("helper: ", err)
		}
		return numbers(t, line)
	}
}

func numbers(t testing.TB, line string) []int {
	t.Helper()
	var out []int
	for _, f := range strings.Fields(line) {
		n, err := strconv.Atoi(f)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		out = append(out, n)
	}
	return out
}
