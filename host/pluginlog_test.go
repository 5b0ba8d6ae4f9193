//go:build linux

package host_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/sdk"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// talker is a backend that says what its Spec's first argument wants, and plans.
type talker struct{ sdk.Unimplemented }

func (talker) Describe() sdk.Description {
	return sdk.Description{Key: "talker", Summary: "says much"}
}

func (talker) Plan(_ context.Context, s *spawn.Spec) (*spawn.Plan, error) {
	log := sdk.Logger().With("n", 1)
	switch s.Path {
	case "/records":
		log.Debug("not wanted")
		log.Log(context.Background(), sdk.LevelTrace, "still less")
		log.WithGroup("g").Warn("take care", "of", "what is \"quoted\"", "took", 5*time.Second)
		log.Error("no more")
	case "/prints":
		fmt.Println("by fmt")
		fmt.Fprintln(os.Stderr, "[WARN] by hand")
		println("by the runtime")
	case "/line":
		os.Stderr.WriteString(strings.Repeat("x", 10<<20))
	case "/flood":
		for range 10 {
			os.Stderr.WriteString(strings.Repeat("a line\n", 100_000))
		}
	case "/panic":
		panic("boom")
	}
	return spawn.Standard(s), nil
}

// records is a logger of which a test reads records, as lines.
func records(level slog.Leveler) (*slog.Logger, func(t *testing.T) string) {
	lines := make(lineWriter, 10_000)
	log := slog.New(slog.NewTextHandler(lines, &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	return log, func(t *testing.T) string {
		t.Helper()
		select {
		case l := <-lines:
			return l
		case <-time.After(20 * time.Second):
			t.Fatal("nothing more is logged")
			return ""
		}
	}
}

// A lineWriter takes a line with each Write.
type lineWriter chan string

func (w lineWriter) Write(b []byte) (int, error) { w <- string(b); return len(b), nil }

func plans(t *testing.T, h *host.Host, key, path string) error {
	t.Helper()
	_, err := h.Plan(t.Context(), key, spawn.Spec{Path: path, Umask: new(uint32)})
	return err
}

func TestPluginLogs(t *testing.T) {
	t.Setenv("HATCHERY_LOG", "trace") // somebody else's
	log, next := records(slog.LevelInfo)
	h := open(t, host.Config{Logger: log})
	must(t, plans(t, h, "talker", "/records"))
	health, err := h.Health("talker")
	must(t, err)
	who := fmt.Sprintf(" plugin.method=talker plugin.pid=%d ", health.Pid)
	expect := func(want ...string) {
		t.Helper()
		for _, w := range want {
			if got := next(t); got != w+"\n" {
				t.Errorf("got %s, want %s", got, w)
			}
		}
	}
	expect("level=WARN msg=\"take care\""+who+"n=1 g.of=\"what is \\\"quoted\\\"\" g.took=5000000000",
		"level=ERROR msg=\"no more\""+who+"n=1")
	// A shape that is known is not planned again.
	other := uint32(2)
	_, err = h.Plan(t.Context(), "talker", spawn.Spec{Path: "/prints", Umask: &other})
	must(t, err)
	who = strings.TrimRight(who, " ")
	expect("level=INFO msg=\"by fmt\""+who, "level=WARN msg=\"by hand\""+who, "level=INFO msg=\"by the runtime\""+who)
	if health, _ = h.Health("talker"); health.Logged != 5 || health.Dropped != 0 {
		t.Errorf("%d logged, %d dropped, want 5 and none", health.Logged, health.Dropped)
	}
	says(t, dump(t, h), "; 5 log records, 0 dropped\n")
}

// Nobody listens: the plugin is told nothing, and says what matters all the same.
func TestPluginLogsForNobody(t *testing.T) {
	t.Setenv("HATCHERY_LOG", "trace")
	h := open(t, host.Config{})
	must(t, plans(t, h, "talker", "/records"))
	if health, _ := h.Health("talker"); health.Logged != 0 || health.Dropped != 0 {
		t.Errorf("%+v", health)
	}
	other := uint32(2)
	_, err := h.Plan(t.Context(), "talker", spawn.Spec{Path: "/panic", Umask: &other})
	mentions(t, err, "panic: boom")
	if strings.Contains(err.Error(), "take care") {
		t.Errorf("it has logged: %v", err)
	}
}

// The last words of a plugin are records too, and there when Close has returned.
func TestLastWordsAreLogged(t *testing.T) {
	log, next := records(slog.LevelError)
	h := open(t, host.Config{Logger: log})
	mentions(t, plans(t, h, "talker", "/panic"), "panic: boom")
	if l := next(t); !strings.HasPrefix(l, "level=ERROR msg=\"panic: boom") || !strings.Contains(l, "plugin.method=talker") {
		t.Errorf("got %s", l)
	}
	if l := next(t); !strings.HasPrefix(l, "level=ERROR msg=\"goroutine ") {
		t.Errorf("got %s", l)
	}
}

// A script that speaks no protocol at all.
func TestWhatAScriptSaysIsLogged(t *testing.T) {
	path := backendDir(t) + "/spawn-backend-x"
	script(t, path, "#!/bin/sh\necho out; printf '{\"level\":\"warning\",\"message\":\"m\",\"k\":[1]}' >&2; exit 3\n")
	r, err := registry.New(registry.Entry{Key: "x", Path: path})
	must(t, err)
	log, next := records(slog.LevelInfo)
	h := open(t, host.Config{Registry: r, Method: "x", Logger: log})
	mentions(t, plans(t, h, "x", "/"), "exit status 3")
	got := []string{next(t), next(t)}
	if strings.HasPrefix(got[1], "level=INFO") {
		got[0], got[1] = got[1], got[0] // of two pipes
	}
	for i, want := range []string{"level=INFO msg=out plugin.method=x plugin.pid=", "level=WARN msg=m plugin.method=x plugin.pid="} {
		if !strings.HasPrefix(got[i], want) || !strings.Contains(got[i], " plugin.path="+path) {
			t.Errorf("got %s, want %s… with its path", got[i], want)
		}
	}
	if !strings.HasSuffix(got[1], " k=\"[1]\"\n") {
		t.Errorf("got %s", got[1])
	}
}

// A plugin that writes without end is bounded, and goes on.
func TestPluginThatFloodsTheLog(t *testing.T) {
	log, next := records(slog.LevelInfo)
	var told atomic.Uint64
	h := open(t, host.Config{Logger: log, LogLimit: host.LogLimit{Rate: 1, Burst: 10}, OnEvent: func(e host.Event) {
		if d, ok := e.(host.LogDropped); ok && d.Key == "talker" && d.Pid > 0 {
			told.Add(d.Records)
		}
	}})
	must(t, plans(t, h, "talker", "/flood"))
	for !strings.HasPrefix(next(t), "level=WARN msg=\"plugin log records dropped\" plugin.method=talker plugin.pid=") {
	}
	eventually(t, func() bool {
		health, err := h.Health("talker")
		must(t, err)
		return health.Logged+health.Dropped == 1_000_000 && told.Load() == health.Dropped && health.Logged >= 10
	})
	other := uint32(2)
	_, err := h.Plan(t.Context(), "talker", spawn.Spec{Path: "/line", Umask: &other})
	must(t, err)
}

// A logger that is stuck holds up neither plugin nor host, and Close for
// Timeouts.Call.
func TestLoggerThatIsStuck(t *testing.T) {
	stuck := make(stuckHandler)
	h := open(t, host.Config{Logger: slog.New(stuck), LogLimit: host.LogLimit{Rate: -1}, Timeouts: host.Timeouts{Call: 500 * time.Millisecond}})
	t.Cleanup(func() { close(stuck) })
	must(t, plans(t, h, "talker", "/flood"))
	done := make(chan error, 1)
	go func() { done <- h.Close() }()
	select {
	case err := <-done:
		must(t, err)
	case <-time.After(20 * time.Second):
		t.Fatal("Close does not return")
	}
	if health, err := h.Health("talker"); err != nil || health.Dropped == 0 {
		t.Errorf("%+v, %v: want some dropped", health, err)
	}
}

type stuckHandler chan struct{}

func (stuckHandler) Enabled(context.Context, slog.Level) bool    { return true }
func (s stuckHandler) Handle(context.Context, slog.Record) error { <-s; return nil }
func (s stuckHandler) WithAttrs([]slog.Attr) slog.Handler        { return s }
func (s stuckHandler) WithGroup(string) slog.Handler             { return s }
