//go:build unix

package sdk_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/helperproc"
	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
	"github.com/hatchery-spawn/hatchery/internal/wire"
	"github.com/hatchery-spawn/hatchery/internal/wire/wiretest"
	"github.com/hatchery-spawn/hatchery/sdk"
	"github.com/hatchery-spawn/hatchery/spawn"
)

func TestMain(m *testing.M) {
	os.Exit(helperproc.Main(func() int { return leakcheck.Main(m) }, map[string]helperproc.Func{
		"planner": func(args []string) int { return sdk.Main(planner{closing: args[0]}) },
		"spawner": func([]string) int { return sdk.Main(spawner{}) },
		"bare":    func([]string) int { return sdk.Main(bare{}) },
	}))
}

const testKey = "subject"

// A planner does what the Spec's program says.
type planner struct {
	sdk.Unimplemented
	closing string // how Close behaves
}

func (planner) Describe() sdk.Description {
	return sdk.Description{Key: testKey, Summary: "what the tests need"}
}

func (planner) Plan(ctx context.Context, s *spawn.Spec) (*spawn.Plan, error) {
	fmt.Println("planning", s.Path)
	switch s.Path {
	case "slow":
		<-ctx.Done()
		fmt.Println("cancelled")
		return nil, ctx.Err()
	case "stuck":
		select {}
	case "panic":
		panic("boom in Plan")
	case "plain":
		return nil, fmt.Errorf("cannot: %w", syscall.ENOSPC)
	case "whole":
		return nil, &spawn.Error{Key: "mine", Phase: spawn.PhaseResolve, Kind: spawn.ErrUnavailable}
	case "environment":
		return nil, errors.New(strings.Join(os.Environ(), "\n"))
	case "descriptors":
		return nil, errors.New(strings.Join(inheritable(), "\n"))
	}
	return spawn.Standard(s), nil
}

func (planner) Probe(context.Context) error {
	return &spawn.Error{Kind: spawn.ErrUnavailable, Msg: "no dice"}
}

func (p planner) Close(ctx context.Context) error {
	switch p.closing {
	case "stuck":
		select {}
	case "fails":
		return errors.New("cannot let go")
	}
	fmt.Println("closed")
	return nil
}

// inheritable lists the descriptors from 3 on that a child would inherit.
func inheritable() []string {
	var list []string
	for fd := 3; fd < 64; fd++ {
		flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFD, 0)
		if errno == 0 && flags&syscall.FD_CLOEXEC == 0 {
			list = append(list, fmt.Sprint(fd))
		}
	}
	return list
}

// A spawner's children end when they are signalled.
type spawner struct{ sdk.Unimplemented }

func (spawner) Describe() sdk.Description {
	return sdk.Description{Key: testKey, Summary: "elsewhere", Status: "experimental"}
}

func (spawner) Spawn(_ context.Context, s *spawn.Spec) (sdk.Child, error) {
	if s.Path == "nil" {
		return nil, nil
	}
	return remoteChild{make(chan syscall.Signal, 1)}, nil
}

type remoteChild struct{ signal chan syscall.Signal }

func (c remoteChild) Signal(sig syscall.Signal) error {
	select {
	case c.signal <- sig:
		return nil
	default:
		return syscall.EAGAIN
	}
}

func (c remoteChild) Wait() spawn.ExitStatus {
	return spawn.ExitStatus{Code: -1, Signal: <-c.signal, Source: spawn.FromBackend}
}

// A bare backend has no ability at all.
type bare struct{}

func (bare) Describe() sdk.Description { return sdk.Description{Key: testKey, Summary: "bare."} }

// A plugin is a backend in a process of its own.
type plugin struct {
	control *wire.Client
	plans   *wire.Planner
	process *wiretest.Process
}

// start starts a helper as a plugin, and stops it at the end of the test.
func start(t *testing.T, l *wiretest.Launcher) plugin {
	t.Helper()
	leakcheck.Check(t)
	c, err := wire.Dial(t.Context(), wire.ClientConfig{
		Key: testKey, Start: l.Start, SocketDir: wiretest.SocketDir(t), StartTimeout: 20 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	p := plugin{c, wire.NewPlanner(testKey, l.Last().Lane(t)), l.Last()}
	t.Cleanup(func() {
		p.control.Close(context.Background(), time.Second)
		p.plans.Close()
		p.process.Release()
	})
	return p
}

func helper(t *testing.T, name string, args ...string) *wiretest.Launcher {
	return wiretest.New(t, helperproc.Path(), helperproc.Argv(name, args...)...)
}

// plan asks for the plan of a program.
func (p plugin) plan(t *testing.T, path string) (*spawn.Plan, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	return p.plans.Plan(ctx, &spawn.Spec{Path: path})
}

// exit waits for the end of the plugin and returns its code.
func (p plugin) exit(t *testing.T) int {
	t.Helper()
	select {
	case <-p.process.Done():
		return p.process.State().ExitCode()
	case <-time.After(10 * time.Second):
		t.Fatal("the plugin has not ended")
		return -1
	}
}

// waitFor waits until the plugin has printed text.
func (p plugin) waitFor(t *testing.T, text string) {
	t.Helper()
	if !p.process.WaitStderr(text, 10*time.Second) {
		t.Fatalf("no %q in its output: %q", text, p.process.Stderr())
	}
}
