package pythonactor

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/hatchery-spawn/hatchery/actor"
	"github.com/hatchery-spawn/hatchery/actor/channel"
	"github.com/hatchery-spawn/hatchery/actor/parent"
	"github.com/hatchery-spawn/hatchery/backends"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/spawn"
)

func TestMain(m *testing.M) {
	host.Init(backends.Builtin()...)
	os.Exit(m.Run())
}

// python returns a Python that has socket.recv_fds.
func python(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no Python here: ", err)
	}
	if out, err := exec.Command(path, "-c", "import socket; socket.recv_fds").CombinedOutput(); err != nil {
		t.Skipf("this Python is older than 3.9: %s", out)
	}
	return path
}

func spec(path, entry string, args ...string) parent.Spec {
	return parent.Spec{Name: "py", Entry: entry, Args: args, Program: spawn.Spec{Path: path, Args: []string{path, "actor.py"}}}
}

// nursery runs body in a nursery of a host of its own.
func nursery(t *testing.T, body func(context.Context, *host.Nursery) error) error {
	return parent.Run(t.Context(), host.Config{}, host.NurseryConfig{}, body)
}

func TestResult(t *testing.T) {
	path := python(t)
	err := nursery(t, func(ctx context.Context, n *host.Nursery) error {
		a, err := parent.Start(ctx, n, spec(path, "letters", "one", "three", "ünïcode"))
		if err != nil {
			return err
		}
		var letters int
		if err := a.Result(&letters); err != nil || letters != 15 {
			t.Errorf("%d letters, %v", letters, err)
		}
		return a.Wait()
	})
	if err != nil {
		t.Error(err)
	}
}

func TestFailure(t *testing.T) {
	path := python(t)
	err := nursery(t, func(ctx context.Context, n *host.Nursery) error {
		_, err := parent.Start(ctx, n, spec(path, "fail", "x"))
		return err
	})
	var r *actor.RemoteError
	if !errors.As(err, &r) || r.Error() != "a value that makes no sense: x" || r.Type != "ValueError" || !strings.Contains(r.Stack, "in run") {
		t.Errorf("%v: %+v", err, r)
	}
	var exit *spawn.ExitError
	if !errors.As(err, &exit) || exit.Code != 1 {
		t.Errorf("%v has not the status", err)
	}
}

func TestCancellation(t *testing.T) {
	path := python(t)
	err := nursery(t, func(ctx context.Context, n *host.Nursery) error {
		a, err := parent.Start(ctx, n, spec(path, "serve"))
		if err != nil {
			return err
		}
		if _, err := a.Channel().Connect(ctx, "grpc"); !errors.Is(err, channel.ErrRefused) {
			t.Errorf("Connect: %v, want a refusal", err)
		}
		err = a.Stop(ctx)
		var c *actor.Canceled
		if !errors.As(err, &c) || !strings.Contains(c.By, "process") || a.Child().Process().Forced() {
			t.Errorf("Stop: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestOrphan ends the channel, as the death of this process would.
func TestOrphan(t *testing.T) {
	path := python(t)
	err := nursery(t, func(ctx context.Context, n *host.Nursery) error {
		a, err := parent.Start(ctx, n, spec(path, "serve"))
		if err != nil {
			return err
		}
		a.Channel().End(errors.New("the test has ended it"))
		return a.Wait()
	})
	var exit *spawn.ExitError
	if !errors.As(err, &exit) || exit.Code != 1 {
		t.Errorf("%v: want it to notice", err)
	}
}

func TestByHand(t *testing.T) {
	out, err := exec.Command(python(t), "actor.py").CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 2 || strings.Count(string(out), "\n") != 1 {
		t.Errorf("%v: %q", err, out)
	}
}
