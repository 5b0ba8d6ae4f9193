package pluginlog_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
	"github.com/hatchery-spawn/hatchery/internal/pluginlog"
)

func TestMain(m *testing.M) { os.Exit(leakcheck.Main(m)) }

const limit = 20 * time.Second

// text returns a logger that writes lines without times.
func text(to io.Writer, level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(to, &slog.HandlerOptions{Level: level, ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
}

// logged returns what a logger gets of what a process writes in parts.
func logged(t *testing.T, cfg pluginlog.Config, parts ...string) string {
	t.Helper()
	var b bytes.Buffer
	if cfg.Rate == 0 {
		cfg.Rate, cfg.Burst = 1000, 1000
	}
	l := pluginlog.New(cfg)
	s := l.Stream()
	begin := rand.IntN(len(parts) + 1) // it does not matter when
	for i, p := range parts {
		if n, err := io.WriteString(s, p); n != len(p) || err != nil {
			t.Errorf("Write: %d, %v", n, err)
		}
		if i == begin {
			l.Begin(text(&b, pluginlog.LevelTrace))
		}
	}
	if begin == len(parts) {
		l.Finish()
		l.Begin(text(&b, pluginlog.LevelTrace))
	}
	finish(t, l)
	return b.String()
}

func finish(t *testing.T, l *pluginlog.Log) {
	t.Helper()
	select {
	case <-l.Finish():
	case <-time.After(limit):
		t.Fatal("the logger has not had everything")
	}
}

func TestLines(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"text", "two words\nand more\n", "level=INFO msg=\"two words\"\nlevel=INFO msg=\"and more\"\n"},
		{"no end", "first\nlast", "level=INFO msg=first\nlevel=INFO msg=last\n"},
		{"blank lines", "\n\r\n\nx\r\n", "level=INFO msg=x\n"},
		{"levels", "[WARN] a\nERROR:root:b\n[DEBUG]  c\ntrace: d\nWARNING: e\n[what] f\nnote: g\n",
			"level=WARN msg=a\nlevel=ERROR msg=root:b\nlevel=DEBUG msg=c\nlevel=DEBUG-4 msg=d\nlevel=WARN msg=e\nlevel=INFO msg=\"[what] f\"\nlevel=INFO msg=\"note: g\"\n"},
		{"hclog's text", "2026-11-23T22:25:23.000Z [ERROR] mine: broke: n=1\n", "level=ERROR msg=\"mine: broke: n=1\"\n"},
		{"a panic", "fine\npanic: boom\n\ngoroutine 1 [running]:\nmain.main()\n",
			"level=INFO msg=fine\nlevel=ERROR msg=\"panic: boom\"\nlevel=ERROR msg=\"goroutine 1 [running]:\"\nlevel=ERROR msg=main.main()\n"},
		{"a traceback", "Traceback (most recent call last):\n  File x\nValueError: no\nfine\n",
			"level=ERROR msg=\"Traceback (most recent call last):\"\nlevel=ERROR msg=\"  File x\"\nlevel=ERROR msg=\"ValueError: no\"\nlevel=INFO msg=fine\n"},
		{"bytes that are no text", "\x00\xff\x1b[2J\a\n", "level=INFO msg=\"\ufffd\ufffd\ufffd[2J\ufffd\"\n"},
		{"slog", `{"time":"2026-01-02T03:04:05Z","level":"WARN","msg":"m","n":1,"f":1.5,"b":true,"s":"x y","z":null,"l":[1,"a"],"g":{"h":{"i":2}}}` + "\n",
			`level=WARN msg=m n=1 f=1.5 b=true s="x y" z=<nil> l="[1,\"a\"]" g.h.i=2` + "\n"},
		{"hclog", `{"@level":"error","@message":"m","@timestamp":"2026-01-02T03:04:05.000000Z","@module":"a.b","k":9223372036854775808}` + "\n",
			"level=ERROR msg=m module=a.b k=9.223372036854776e+18\n"},
		{"python", `{"levelname":"CRITICAL","message":"m","level":"x"}` + "\n", "level=ERROR msg=m level=x\n"},
		{"another time", `{"msg":"m","ts":1767323045.5}` + "\n", "level=INFO msg=m ts=1.7673230455e+09\n"},
		{"trace", `{"msg":"m","level":"DEBUG-4"}` + "\n", "level=DEBUG-4 msg=m\n"},
		{"for the host", `{"msg":"m","plugin":{"pid":1}}` + "\n", "level=INFO msg=m plugin_.pid=1\n"},
		{"no message", `{"a":1}` + "\n", `level=INFO msg="{\"a\":1}"` + "\n"},
		{"no JSON", "{\"msg\":\"m\"\n{}x\n{\n", `level=INFO msg="{\"msg\":\"m\""` + "\nlevel=INFO msg={}x\nlevel=INFO msg={\n"},
		{"two objects", `{"msg":"m"}{"msg":"n"}` + "\n", `level=INFO msg="{\"msg\":\"m\"}{\"msg\":\"n\"}"` + "\n"},
		{"deep", `{"msg":"m","a":` + strings.Repeat(`{"a":`, 1000) + "1" + strings.Repeat("}", 1000) + "}\n",
			"level=INFO msg=m a" + strings.Repeat(".a", 7) + `="` + strings.Repeat(`{\"a\":`, 993) + "1" + strings.Repeat("}", 993) + "\"\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, logged(t, pluginlog.Config{}, c.in)); diff != "" {
				t.Error(diff)
			}
			// The same in parts of every length.
			at := rand.IntN(len(c.in) + 1)
			if got := logged(t, pluginlog.Config{}, c.in[:at], c.in[at:]); got != c.want {
				t.Errorf("in parts of %d and %d bytes:\n%.1000s", at, len(c.in)-at, got)
			}
		})
	}
}

// The time is the plugin's own, if it says so.
func TestTime(t *testing.T) {
	var got []time.Time
	l := pluginlog.New(pluginlog.Config{Rate: 1, Burst: 10})
	l.Begin(slog.New(handler(func(r slog.Record) { got = append(got, r.Time) })))
	begin := time.Now()
	io.WriteString(l.Stream(), `{"msg":"m","time":"2026-01-02T03:04:05.5+01:00"}`+"\n2026-01-02T03:04:05Z [INFO] x\nx\n")
	finish(t, l)
	if want := time.Date(2026, 1, 2, 2, 4, 5, 5e8, time.UTC); len(got) != 3 || !got[0].Equal(want) || !got[1].Equal(want.Add(time.Hour-500*time.Millisecond)) {
		t.Errorf("%v, want %v and the like", got, want)
	} else if got[2].Before(begin) || got[2].After(time.Now()) {
		t.Errorf("%v is not now", got[2])
	}
}

// A handler calls itself with each record.
type handler func(slog.Record)

func (h handler) Enabled(context.Context, slog.Level) bool      { return true }
func (h handler) Handle(_ context.Context, r slog.Record) error { h(r); return nil }
func (h handler) WithAttrs([]slog.Attr) slog.Handler            { return h }
func (h handler) WithGroup(string) slog.Handler                 { return h }

func TestLongLines(t *testing.T) {
	long := strings.Repeat("x", 10<<20)
	got := logged(t, pluginlog.Config{}, long[:5<<20], long[5<<20:], "\nnext\n", `{"msg":"`+long+"\"}\n", "last\n")
	want := fmt.Sprintf("level=INFO msg=%s cut=true\nlevel=INFO msg=next\nlevel=INFO msg=\"{\\\"msg\\\":\\\"%s\" cut=true\nlevel=INFO msg=last\n",
		long[:pluginlog.MaxLine], long[:pluginlog.MaxLine-len(`{"msg":"`)])
	if got != want {
		t.Errorf("%d bytes, want %d: %.100q …", len(got), len(want), got)
	}
}

func TestWhatIsTooMuchIsCounted(t *testing.T) {
	var counts pluginlog.Counts
	told := uint64(0)
	got := logged(t, pluginlog.Config{Rate: -1, Burst: 3, Counts: &counts, Dropped: func(n uint64) { told += n }}, strings.Repeat("line\n", 10))
	if want := strings.Repeat("level=INFO msg=line\n", 3) + "level=WARN msg=\"plugin log records dropped\" dropped=7\n"; got != want {
		t.Errorf("got %s", got)
	}
	if counts.Records.Load() != 3 || counts.Dropped.Load() != 7 || told != 7 {
		t.Errorf("%d records, %d dropped, told of %d", counts.Records.Load(), counts.Dropped.Load(), told)
	}
}

// A plugin that floods the host and lives on is told of meanwhile.
func TestDropsAreToldOfWhileItLives(t *testing.T) {
	told := make(chan slog.Record, 16)
	l := pluginlog.New(pluginlog.Config{Burst: 1})
	l.Begin(slog.New(handler(func(r slog.Record) { told <- r })))
	io.WriteString(l.Stream(), "one\ntwo\nthree\n")
	for _, want := range []string{"one", "plugin log records dropped"} {
		select {
		case r := <-told:
			if r.Message != want {
				t.Errorf("got %q, want %q", r.Message, want)
			}
		case <-time.After(limit):
			t.Fatal("nothing was said")
		}
	}
	finish(t, l)
	if len(told) > 0 {
		t.Errorf("and then %q", (<-told).Message)
	}
}

// A logger that is stuck holds nobody up, and what waits for it is bounded.
func TestALoggerThatIsStuck(t *testing.T) {
	var counts pluginlog.Counts
	stuck, entered := make(chan struct{}), make(chan struct{}, 1)
	l := pluginlog.New(pluginlog.Config{Counts: &counts, Rate: 1 << 30, Burst: 1 << 30})
	l.Begin(slog.New(handler(func(slog.Record) {
		select {
		case entered <- struct{}{}:
		default:
		}
		<-stuck
	})))
	s := l.Stream()
	io.WriteString(s, "first\n")
	<-entered
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range 200 { // 20 MB
		io.WriteString(s, strings.Repeat(strings.Repeat("y", 99)+"\n", 1000))
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 4<<20 {
		t.Errorf("it keeps %d bytes", grown)
	}
	if n := counts.Dropped.Load() + counts.Records.Load(); n != 200_001 || counts.Dropped.Load() == 0 {
		t.Errorf("%d dropped of %d", counts.Dropped.Load(), n)
	}
	close(stuck)
	finish(t, l)
}

func TestNoLog(t *testing.T) {
	var l *pluginlog.Log
	l.Begin(slog.Default())
	if l.Stream() != nil {
		t.Error("it takes something")
	}
	finish(t, l)
}

// What comes when it is over is passed over.
func TestAfterFinish(t *testing.T) {
	var b bytes.Buffer
	l := pluginlog.New(pluginlog.Config{Burst: 9})
	l.Begin(text(&b, slog.LevelInfo))
	s := l.Stream()
	io.WriteString(s, "one\n[DEBUG] none\n")
	finish(t, l)
	io.WriteString(s, "two\n")
	finish(t, l)
	if b.String() != "level=INFO msg=one\n" {
		t.Errorf("got %s", b.String())
	}
}

// The bucket is filled again as time goes by.
func TestTheBucketFills(t *testing.T) {
	var counts pluginlog.Counts
	l := pluginlog.New(pluginlog.Config{Rate: 1000, Burst: 1, Counts: &counts})
	l.Begin(text(io.Discard, slog.LevelInfo))
	s := l.Stream()
	for end := time.Now().Add(limit); counts.Records.Load() < 5; {
		if time.Now().After(end) {
			t.Fatalf("%d records", counts.Records.Load())
		}
		io.WriteString(s, "x\n")
	}
	finish(t, l)
}

func BenchmarkFlood(b *testing.B) {
	l := pluginlog.New(pluginlog.Config{Rate: 100, Burst: 500})
	l.Begin(text(io.Discard, slog.LevelInfo))
	s := l.Stream()
	chunk := []byte(strings.Repeat(`{"time":"2026-01-02T03:04:05Z","level":"INFO","msg":"a line of the log"}`+"\n", 100))
	b.SetBytes(int64(len(chunk)))
	for b.Loop() {
		s.Write(chunk)
	}
	<-l.Finish()
}
