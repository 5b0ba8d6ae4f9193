//go:build linux

package host_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/sdk"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// echoSpawner is a method whose children are no processes: each copies its
// input to its output and exits with the number of its last argument.
type echoSpawner struct{}

func (echoSpawner) Describe() sdk.Description {
	return sdk.Description{Key: "echo", Summary: "children inside the plugin"}
}

func (echoSpawner) Spawn(_ context.Context, s *spawn.Spec) (sdk.Child, error) {
	dup := func(n int) *os.File {
		fd, err := syscall.Dup(int(s.Files[n].Fd()))
		if err != nil {
			return nil
		}
		return os.NewFile(uintptr(fd), "")
	}
	c := &echoChild{in: dup(0), out: dup(1), end: make(chan spawn.ExitStatus, 1)}
	go func() {
		io.Copy(c.out, c.in)
		c.exit(spawn.ExitStatus{Code: len(s.Args), Source: spawn.FromBackend})
	}()
	return c, nil
}

type echoChild struct {
	in, out *os.File
	once    sync.Once
	end     chan spawn.ExitStatus
}

func (c *echoChild) exit(s spawn.ExitStatus) {
	c.once.Do(func() {
		c.in.Close()
		c.out.Close()
		c.end <- s
	})
}

func (c *echoChild) Wait() spawn.ExitStatus { return <-c.end }

func (c *echoChild) Signal(sig syscall.Signal) error {
	if sig == syscall.SIGTERM || sig == syscall.SIGKILL {
		c.exit(spawn.ExitStatus{Code: -1, Signal: sig, Source: spawn.FromBackend})
	}
	return nil
}

func TestSpawner(t *testing.T) {
	h := open(t, host.Config{Method: "echo"})
	cmd := h.Command("anything", "a", "b")
	cmd.Stdin = strings.NewReader("through the plugin")
	var out bytes.Buffer
	cmd.Stdout = &out
	err := cmd.Run()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	if err == nil || cmd.ProcessState.Code != 3 || cmd.ProcessState.Source != spawn.FromBackend || out.String() != "through the plugin" {
		t.Errorf("%v, %+v, %q", err, cmd.ProcessState, out.String())
	}
}

func TestStopSpawnersChild(t *testing.T) {
	h := open(t, host.Config{Method: "echo"})
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	p := start(t, h, spawn.Spec{Path: "anything", Files: []*os.File{r, null}})
	r.Close()
	s, err := p.Stop(t.Context())
	if err != nil || s.Signal != syscall.SIGTERM {
		t.Errorf("%+v, %v", s, err)
	}
}
