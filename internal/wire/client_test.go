//go:build unix

package wire_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/helperproc"
	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
	"github.com/hatchery-spawn/hatchery/internal/wire"
	"github.com/hatchery-spawn/hatchery/internal/wire/wiretest"
	"github.com/hatchery-spawn/hatchery/spawn"
)

func TestProbe(t *testing.T) {
	c, _ := mustStart(t, "ok")
	if err := c.Probe(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestProbeErrorCrossesAsItself(t *testing.T) {
	c, _ := mustStart(t, "probe", "error")
	if got, want := c.Probe(t.Context()), probeError(); !reflect.DeepEqual(got, error(want)) {
		t.Errorf("got\n%#v\nwant\n%#v", got, want)
	}
}

func TestProbeErrorOfTheSystem(t *testing.T) {
	c, _ := mustStart(t, "probe", "plain")
	err := c.Probe(t.Context())
	var pe *fs.PathError
	if !errors.Is(err, fs.ErrNotExist) || !errors.As(err, &pe) || pe.Path != "/a\xffb" {
		t.Errorf("got %#v", err)
	}
}

func TestCallsAreBounded(t *testing.T) {
	for _, mode := range []string{"slow", "stop"} {
		t.Run(mode, func(t *testing.T) {
			leakcheck.Check(t)
			l := wiretest.New(t, helperproc.Path(), helperproc.Argv("plugin", "probe", mode)...)
			c, err := wire.Dial(t.Context(), wire.ClientConfig{
				Key: testKey, Start: l.Start, SocketDir: wiretest.SocketDir(t), CallTimeout: 300 * time.Millisecond,
			})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close(context.Background(), 0)
			begin := time.Now()
			err = c.Probe(t.Context())
			if took := time.Since(begin); took > time.Second {
				t.Errorf("took %v with a limit of 300ms", took)
			}
			if !errors.Is(err, spawn.ErrTimeout) {
				t.Errorf("got %v, want ErrTimeout", err)
			}
		})
	}
}

func TestCancelledCall(t *testing.T) {
	c, _ := mustStart(t, "probe", "slow")
	ctx, cancel := context.WithCancel(t.Context())
	timer := time.AfterFunc(50*time.Millisecond, cancel)
	defer timer.Stop()
	if err := c.Probe(ctx); !errors.Is(err, spawn.ErrCanceled) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want ErrCanceled", err)
	}
}

func TestPanicIsThePluginsEnd(t *testing.T) {
	c, p := mustStart(t, "probe", "panic")
	err := c.Probe(t.Context())
	checkGone(t, err, "boom in Probe")
	waitGone(t, p)
}

func TestKilledPlugin(t *testing.T) {
	c, p := mustStart(t, "probe", "slow")
	timer := time.AfterFunc(50*time.Millisecond, func() { p.Signal(syscall.SIGKILL) })
	defer timer.Stop()
	begin := time.Now()
	err := c.Probe(t.Context())
	if took := time.Since(begin); took > time.Second {
		t.Errorf("took %v", took)
	}
	checkGone(t, err, "signal: killed")
	checkGone(t, c.Probe(t.Context()), "")
	if err := c.Close(t.Context(), time.Second); err != nil || c.Forced() {
		t.Errorf("close of a dead plugin: %v, forced %v", err, c.Forced())
	}
}

// TestMissingCall has a plugin of an older sdk, which must not look like a
// method that is known not to work.
func TestMissingCall(t *testing.T) {
	c, _ := mustStart(t, "old-sdk")
	err := c.Probe(t.Context())
	if !errors.Is(err, spawn.ErrVersion) || errors.Is(err, spawn.ErrNotImplemented) {
		t.Errorf("got %v, want ErrVersion", err)
	}
	if err := c.Close(t.Context(), time.Second); err != nil || !c.Forced() {
		t.Errorf("close: %v, forced %v", err, c.Forced())
	}
}

func TestCloseIsBounded(t *testing.T) {
	const grace = 300 * time.Millisecond
	stop := func(t *testing.T, p *wiretest.Process) {
		if err := p.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		// The signal takes effect a moment later.
		var status syscall.WaitStatus
		if _, err := syscall.Wait4(p.Pid(), &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
			t.Fatalf("waiting for the plugin to stop: %v, status %v", err, status)
		}
	}
	tests := []struct {
		name, mode string
		before     func(*testing.T, *wiretest.Process)
	}{
		{"stopped", "ok", stop},
		{"wedged", "wedged", func(*testing.T, *wiretest.Process) {}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			leakcheck.Check(t)
			c, p := mustStart(t, test.mode)
			test.before(t, p)
			begin := time.Now()
			err := c.Close(t.Context(), grace)
			if took := time.Since(begin); took < grace || took > grace+500*time.Millisecond {
				t.Errorf("took %v with a grace of %v", took, grace)
			}
			if err != nil || !c.Forced() {
				t.Errorf("close: %v, forced %v", err, c.Forced())
			}
			select {
			case <-p.Done():
			default:
				t.Error("close returned before the process was gone")
			}
			begin = time.Now()
			if err := c.Close(t.Context(), time.Hour); err != nil || time.Since(begin) > 50*time.Millisecond {
				t.Errorf("second close: %v after %v", err, time.Since(begin))
			}
		})
	}
}

func TestCloseWithoutPatience(t *testing.T) {
	c, _ := mustStart(t, "wedged")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	begin := time.Now()
	if err := c.Close(ctx, time.Hour); err != nil || !c.Forced() {
		t.Errorf("close: %v, forced %v", err, c.Forced())
	}
	if took := time.Since(begin); took > 500*time.Millisecond {
		t.Errorf("took %v with a context that is done", took)
	}
}

// TestUnkillable has a process that SIGKILL does not end.
func TestUnkillable(t *testing.T) {
	l := wiretest.New(t, helperproc.Path(), helperproc.Argv("plugin", "wedged")...)
	c, err := wire.Dial(t.Context(), wire.ClientConfig{Key: testKey, SocketDir: wiretest.SocketDir(t),
		Start: func(ctx context.Context, env []string, handshake *os.File) (wire.Process, error) {
			p, err := l.Start(ctx, env, handshake)
			return immortal{p}, err
		}})
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	err = c.Close(t.Context(), 100*time.Millisecond)
	if took := time.Since(begin); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
	e := spawn.AsError(err)
	if e == nil || e.Kind != spawn.ErrTimeout || e.Phase != spawn.PhaseStop || e.Op != "plugin exit" || !errors.Is(err, wire.ErrStillThere) {
		t.Errorf("got %v", err)
	}
}

type immortal struct{ wire.Process }

func (immortal) Kill() error { return nil }

func TestFortyPluginsLeaveNothing(t *testing.T) {
	dir := wiretest.SocketDir(t)
	l := wiretest.New(t, helperproc.Path(), helperproc.Argv("plugin", "ok")...)
	before := leakcheck.Take()
	for i := range 40 {
		c, err := wire.Dial(t.Context(), wire.ClientConfig{Key: testKey, Start: l.Start, SocketDir: dir})
		if err != nil {
			t.Fatal(err)
		}
		p := l.Last()
		if i%2 == 1 {
			p.Signal(syscall.SIGKILL)
			<-p.Done()
		}
		if err := c.Close(t.Context(), 5*time.Second); err != nil || c.Forced() {
			t.Fatalf("start %d: close: %v, forced %v", i, err, c.Forced())
		}
		p.Release()
	}
	if left := before.Left(leakcheck.Patience); len(left) > 0 {
		t.Errorf("left:\n%s", left)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left in the socket folder: %v", left)
	}
}

func checkGone(t *testing.T, err error, text string) {
	t.Helper()
	checkKind(t, err, spawn.ErrPluginGone, text)
}

// TestNothingElseIsCalled: go-plugin's own services are not used. By one of
// them a plugin could fill the host's memory.
func TestNothingElseIsCalled(t *testing.T) {
	c, p := mustStart(t, "calls")
	c.Probe(t.Context())
	c.Close(context.Background(), 0)
	if said := p.Diagnose().Error(); strings.Contains(said, "called:") {
		t.Error(said)
	}
}
