//go:build unix

package wire_test

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hatchery-spawn/hatchery/internal/helperproc"
	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
	"github.com/hatchery-spawn/hatchery/internal/wire"
	"github.com/hatchery-spawn/hatchery/internal/wire/wiretest"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// start dials the plugin of that mode with generous limits.
func start(t *testing.T, mode ...string) (*wire.Client, *wiretest.Process, error) {
	t.Helper()
	l := wiretest.New(t, helperproc.Path(), helperproc.Argv("plugin", mode...)...)
	c, err := wire.Dial(t.Context(), wire.ClientConfig{
		Key: testKey, Start: l.Start, SocketDir: wiretest.SocketDir(t), StartTimeout: 20 * time.Second,
	})
	if err == nil {
		t.Cleanup(func() { c.Close(context.Background(), time.Second) })
	}
	return c, l.Last(), err
}

func mustStart(t *testing.T, mode ...string) (*wire.Client, *wiretest.Process) {
	t.Helper()
	c, p, err := start(t, mode...)
	if err != nil {
		t.Fatal(err)
	}
	return c, p
}

func TestDialDescribeClose(t *testing.T) {
	leakcheck.Check(t)
	dir := wiretest.SocketDir(t)
	l := wiretest.New(t, helperproc.Path(), helperproc.Argv("plugin", "ok")...)
	c, err := wire.Dial(t.Context(), wire.ClientConfig{Key: testKey, Start: l.Start, SocketDir: dir, LogLevel: "off"})
	if err != nil {
		t.Fatal(err)
	}
	d := c.Description()
	if d.Key != testKey || d.APIVersion != wire.APIVersion || d.Reason != "a\ufffdb" || !d.Has(wire.FeaturePlanner) || d.Has(wire.FeatureSpawner) {
		t.Errorf("description %+v", d)
	}
	for _, v := range strings.Split(d.Summary, "\n") {
		if strings.HasPrefix(v, "PLUGIN_") || strings.HasPrefix(v, "HATCHERY_PLUGIN_") {
			t.Errorf("the backend sees %s", v)
		}
	}
	if sockets, _ := filepath.Glob(dir + "/*/*"); len(sockets) > 0 {
		t.Errorf("the socket is still there: %q", sockets)
	}
	if err := c.Close(t.Context(), 5*time.Second); err != nil {
		t.Error(err)
	}
	if c.Forced() || l.Last().State().ExitCode() != 0 {
		t.Errorf("forced %v, %v", c.Forced(), l.Last().State())
	}
	if out := l.Last().Stderr(); !strings.Contains(out, "printed by the backend") {
		t.Errorf("what the backend printed is not in its output: %q", out)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left in the socket folder: %v", left)
	}
}

func TestNoiseOnStandardOutputIsHarmless(t *testing.T) {
	for _, kind := range []string{"line", "lines", "mebibyte"} {
		t.Run(kind, func(t *testing.T) {
			c, p := mustStart(t, "noisy", kind)
			if err := c.Close(t.Context(), 5*time.Second); err != nil || c.Forced() {
				t.Errorf("close: %v, forced %v", err, c.Forced())
			}
			if out := p.Stdout(); !strings.Contains(out, garbage(kind)[:20]) {
				t.Errorf("the noise is not in the output, which begins with %.40q", out)
			}
		})
	}
}

func TestBadStarts(t *testing.T) {
	tests := []struct {
		mode []string
		kind error
		op   string
		text []string
	}{
		{[]string{"exit"}, spawn.ErrPluginGone, "handshake", []string{"exit status 3", "no such moon phase"}},
		{[]string{"panic"}, spawn.ErrPluginGone, "handshake", []string{"exit status 2", "the plugin's own words"}},
		{[]string{"nocookie"}, spawn.ErrPluginGone, "handshake", []string{"exit status 1", "no Hatchery host started it"}},
		{[]string{"daemon"}, spawn.ErrPluginGone, "handshake", []string{"exit status 4"}},
		{[]string{"garbage", "line"}, spawn.ErrProtocol, "handshake", []string{"what is this"}},
		{[]string{"garbage", "lines"}, spawn.ErrProtocol, "handshake", []string{"what is this"}},
		{[]string{"garbage", "mebibyte"}, spawn.ErrProtocol, "handshake", []string{"xxxxxxxx"}},
		{[]string{"mute"}, spawn.ErrProtocol, "handshake", []string{"without a word"}},
		{[]string{"line", "1|9|unix|/nowhere|grpc|"}, spawn.ErrVersion, "handshake", []string{"version 9", "the host 1", "upgrade the host"}},
		{[]string{"line", "1|0|unix|/nowhere|grpc|"}, spawn.ErrVersion, "handshake", []string{"version 0", "the host 1", "build the plugin again with the sdk"}},
		{[]string{"line", "2|1|unix|/nowhere|grpc|"}, spawn.ErrVersion, "handshake", []string{"version 2 of go-plugin's", "the host 1", "build the plugin again with the sdk"}},
		{[]string{"last-line", "what is this"}, spawn.ErrProtocol, "handshake", []string{`wrote "what is this"`, "exit status 8"}},
		{[]string{"line", ""}, spawn.ErrProtocol, "handshake", []string{`wrote ""`, "the sdk writes"}},
		{[]string{"line", "1|1|tcp|127.0.0.1:1|grpc|"}, spawn.ErrProtocol, "handshake", []string{"tcp", "unix socket"}},
		{[]string{"line", "1|1|unix|/nowhere|netrpc|"}, spawn.ErrProtocol, "handshake", []string{"netrpc"}},
		{[]string{"line", "1|1|unix|/nowhere|grpc|"}, spawn.ErrProtocol, "connect", []string{"/nowhere"}},
		{[]string{"flash"}, spawn.ErrPluginGone, "connect", []string{"exit status 6"}},
		{[]string{"brief"}, spawn.ErrPluginGone, "describe", []string{"exit status 5", "that was enough"}},
		{[]string{"old-api"}, spawn.ErrVersion, "describe", []string{"version 99", `sdk of version "v9.8.7"`, "the host 1", "upgrade the host"}},
		{[]string{"loud"}, spawn.ErrProtocol, "describe", []string{"larger than max"}},
		{[]string{"http"}, spawn.ErrProtocol, "describe", []string{"control connection broke"}},
		{[]string{"key"}, spawn.ErrProtocol, "describe", []string{`"isolate"`, `want "forkexec"`}},
	}
	for _, test := range tests {
		t.Run(strings.Join(test.mode, " "), func(t *testing.T) {
			leakcheck.Check(t)
			begin := time.Now()
			_, p, err := start(t, test.mode...)
			if took := time.Since(begin); took > 3*time.Second {
				t.Errorf("took %v", took)
			}
			checkStartError(t, err, test.kind, test.op, test.text...)
			waitGone(t, p)
		})
	}
}

func TestStartTimeouts(t *testing.T) {
	tests := []struct{ mode, op string }{
		{"hang", "handshake"},
		{"stop", "handshake"},
		{"deaf", "connection"},
	}
	for _, test := range tests {
		t.Run(test.mode, func(t *testing.T) {
			leakcheck.Check(t)
			l := wiretest.New(t, helperproc.Path(), helperproc.Argv("plugin", test.mode)...)
			begin := time.Now()
			_, err := wire.Dial(t.Context(), wire.ClientConfig{
				Key: testKey, Start: l.Start, SocketDir: wiretest.SocketDir(t), StartTimeout: time.Second,
			})
			if took := time.Since(begin); took < time.Second || took > 3*time.Second {
				t.Errorf("took %v with a limit of 1s", took)
			}
			checkStartError(t, err, spawn.ErrTimeout, test.op, "after 1s")
			waitGone(t, l.Last())
		})
	}
}

func TestCancelledStart(t *testing.T) {
	for _, mode := range []string{"hang", "deaf"} {
		t.Run(mode, func(t *testing.T) {
			leakcheck.Check(t)
			l := wiretest.New(t, helperproc.Path(), helperproc.Argv("plugin", mode)...)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var cancelled time.Time
			start := func(ctx context.Context, env []string, handshake *os.File) (wire.Process, error) {
				p, err := l.Start(ctx, env, handshake)
				time.AfterFunc(500*time.Millisecond, func() { cancelled = time.Now(); cancel() })
				return p, err
			}
			_, err := wire.Dial(ctx, wire.ClientConfig{Key: testKey, Start: start, SocketDir: wiretest.SocketDir(t)})
			if took := time.Since(cancelled); took > time.Second {
				t.Errorf("returned %v after the cancellation", took)
			}
			checkStartError(t, err, spawn.ErrCanceled, "", "gave up")
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%v is not context.Canceled", err)
			}
			waitGone(t, l.Last())
		})
	}
}

func TestCallersDeadline(t *testing.T) {
	l := wiretest.New(t, helperproc.Path(), helperproc.Argv("plugin", "hang")...)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := wire.Dial(ctx, wire.ClientConfig{Key: testKey, Start: l.Start, SocketDir: wiretest.SocketDir(t)})
	checkStartError(t, err, spawn.ErrTimeout, "", "caller's deadline")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v is not context.DeadlineExceeded", err)
	}
}

func TestStartThatFails(t *testing.T) {
	leakcheck.Check(t)
	dir := wiretest.SocketDir(t)
	cause := &fs.PathError{Op: "open", Path: "/no/plugin", Err: syscall.ENOENT}
	_, err := wire.Dial(t.Context(), wire.ClientConfig{Key: testKey, SocketDir: dir,
		Start: func(context.Context, []string, *os.File) (wire.Process, error) { return nil, cause }})
	checkStartError(t, err, nil, "open", "/no/plugin")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v is not fs.ErrNotExist", err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left in the socket folder: %v", left)
	}
}

// TestStartThatIsLate has Start return a process long after Dial has given up:
// the process must not be forgotten.
func TestStartThatIsLate(t *testing.T) {
	leakcheck.Check(t)
	l := wiretest.New(t, helperproc.Path(), helperproc.Argv("plugin", "hang")...)
	ctx, cancel := context.WithCancel(t.Context())
	release, started, returned := make(chan struct{}), make(chan struct{}), make(chan struct{})
	dialed := make(chan error, 1)
	go func() {
		_, err := wire.Dial(ctx, wire.ClientConfig{Key: testKey, SocketDir: wiretest.SocketDir(t),
			Start: func(ctx context.Context, env []string, handshake *os.File) (wire.Process, error) {
				close(started)
				<-release
				defer close(returned)
				return l.Start(ctx, env, handshake)
			}})
		dialed <- err
	}()
	<-started
	cancel()
	begin := time.Now()
	err := <-dialed
	if took := time.Since(begin); took > time.Second {
		t.Errorf("returned %v after the cancellation", took)
	}
	checkStartError(t, err, spawn.ErrCanceled, "process start")
	close(release)
	<-returned
	waitGone(t, l.Last())
}

func TestImpostor(t *testing.T) {
	dir := wiretest.SocketDir(t)
	l, err := net.Listen("unix", dir+"/mine")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, _, err = start(t, "line", "1|1|unix|"+dir+"/mine|grpc|")
	checkStartError(t, err, spawn.ErrProtocol, "connect", "belongs to process", "want process")
}

func TestSocketDirTooLong(t *testing.T) {
	dir := "/" + strings.Repeat("d", 62)
	_, err := wire.Dial(t.Context(), wire.ClientConfig{Key: testKey, SocketDir: dir,
		Start: func(context.Context, []string, *os.File) (wire.Process, error) {
			t.Error("started all the same")
			return nil, errors.ErrUnsupported
		}})
	checkStartError(t, err, nil, "control socket", dir, "101 bytes", "limit is 100", "has 63")
	if !errors.Is(err, syscall.ENAMETOOLONG) {
		t.Errorf("%v is not ENAMETOOLONG", err)
	}
}

func TestSocketDirMissing(t *testing.T) {
	dir := wiretest.SocketDir(t) + "/gone"
	_, err := wire.Dial(t.Context(), wire.ClientConfig{Key: testKey, SocketDir: dir})
	checkStartError(t, err, nil, "", dir)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v is not fs.ErrNotExist", err)
	}
}

// checkStartError checks what every failed start must say, and that the texts
// are in it.
func checkStartError(t *testing.T, err error, kind error, op string, texts ...string) {
	t.Helper()
	var e *spawn.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want an *spawn.Error", err)
	}
	if !cmp.Equal(e.Kind, kind, cmp.Comparer(func(a, b error) bool { return a == b })) || e.Key != testKey || e.Phase != spawn.PhaseStart || op != "" && e.Op != op {
		t.Errorf("got kind %v, key %q, phase %q, op %q: want %v, %q, %q, %q\n%v", e.Kind, e.Key, e.Phase, e.Op, kind, testKey, spawn.PhaseStart, op, err)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("no %q in: %v", text, err)
		}
	}
	if len(err.Error()) > 700 {
		t.Errorf("%d bytes of message: %v", len(err.Error()), err)
	}
}

func waitGone(t *testing.T, p *wiretest.Process) {
	t.Helper()
	select {
	case <-p.Done():
	case <-time.After(5 * time.Second):
		t.Fatalf("process %d is still there", p.Pid())
	}
}
