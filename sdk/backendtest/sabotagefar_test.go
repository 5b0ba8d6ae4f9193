//go:build linux

package backendtest

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/hatchery-spawn/hatchery/sdk"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// farVariable has the path of the socket of the place where the children of far run.
const farVariable = "BACKENDTEST_FAR"

// far is a spawner whose children run elsewhere: below the process of the tests, so
// that no keeper ends them. It tells nobody to.
type far struct{}

func (far) Describe() sdk.Description {
	return sdk.Description{Key: "far", Summary: "children that stay when their host is gone"}
}

func (far) Spawn(_ context.Context, s *spawn.Spec) (sdk.Child, error) {
	conn, err := net.Dial("unix", os.Getenv(farVariable))
	if err != nil {
		return nil, err
	}
	if err := json.NewEncoder(conn).Encode(s.Argv()); err != nil {
		return nil, err
	}
	fd, err := syscall.Dup(int(s.Files[1].Fd()))
	if err != nil {
		return nil, err
	}
	syscall.CloseOnExec(fd)
	c := farChild(make(chan struct{}))
	go func() { // ends with the child, or the plugin
		defer close(c)
		out := os.NewFile(uintptr(fd), "output")
		defer out.Close()
		io.Copy(out, conn)
	}()
	return c, nil
}

type farChild chan struct{}

func (c farChild) Wait() spawn.ExitStatus {
	<-c
	return spawn.ExitStatus{Source: spawn.FromBackend}
}

func (farChild) Signal(syscall.Signal) error { return nil }

// startFar serves the place where the children of far run, until the end of the
// test.
func startFar(t *testing.T) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(farVariable, path)
	over := make(chan struct{})
	var all []*exec.Cmd // of the goroutine below, until it is over
	go func() {
		defer close(over)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			var args []string
			json.NewDecoder(conn).Decode(&args)
			f, _ := conn.(*net.UnixConn).File()
			conn.Close()
			cmd := &exec.Cmd{Path: "/bin/sh", Args: args, Stdout: f, SysProcAttr: &syscall.SysProcAttr{Setpgid: true}}
			if err := cmd.Start(); err != nil {
				t.Error(err)
			} else {
				all = append(all, cmd)
			}
			f.Close()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-over
		for _, cmd := range all {
			syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			cmd.Wait()
		}
	})
}
