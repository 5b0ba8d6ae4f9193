//go:build linux

package forkserver_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/hatchery-spawn/hatchery/backends/forkserver"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// onTerminal is set where the test executes itself on a terminal.
const onTerminal = "FORKSERVER_TEST_ON_TERMINAL"

// A warm child of either kind has the terminal from the beginning if its Spec says so.
func TestForeground(t *testing.T) {
	if os.Getenv(onTerminal) != "" {
		foreground(t)
		return
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestForeground$", "-test.v")
	cmd.Env = append(os.Environ(), onTerminal+"=1")
	terminal, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	hung := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
	defer hung.Stop()
	var shown bytes.Buffer
	io.Copy(&shown, terminal) // until EIO
	if err := cmd.Wait(); err != nil || !strings.Contains(shown.String(), "PASS") {
		t.Errorf("%v, on its terminal:\n%s", err, &shown)
	}
}

func foreground(t *testing.T) {
	h := open(t)
	specs := []spawn.Spec{spec(t, "front")}
	if out, err := exec.Command("python3", "-c", "import ctypes, sys; print(sys.executable, end='')").Output(); err == nil {
		python := string(out)
		specs = append(specs, spawn.Spec{Path: python, Args: []string{python, "-c", "import os; print(os.getpid(), os.getpgrp(), os.tcgetpgrp(0))"}, Env: []string{}})
	}
	for _, s := range specs {
		for range 3 {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			front := 0
			s.Files, s.Group, s.Foreground = []*os.File{os.Stdin, w}, spawn.NewGroup, &front
			s.Options = forkserver.Options{Require: true}.List()
			p := start(t, h, s)
			w.Close()
			said, _ := io.ReadAll(r)
			r.Close()
			if want := fmt.Sprintln(p.Pid(), p.Pid(), p.Pid()); string(said) != want {
				t.Errorf("%s: process, group and foreground %q, want %q", s.Path, said, want)
			}
			wait(t, p)
			if err := host.TakeForeground(os.Stdin); err != nil {
				t.Fatal(err)
			}
		}
	}
}
