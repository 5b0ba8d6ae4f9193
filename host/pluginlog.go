package host

import (
	"context"
	"log/slog"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/pluginlog"
	"github.com/hatchery-spawn/hatchery/registry"
)

// LevelTrace is the level below [slog.LevelDebug] that plugins may log at: trace.
const LevelTrace = pluginlog.LevelTrace

// logLevel returns the name of the lowest level that a logger has enabled, or
// nothing.
func logLevel(l *slog.Logger) string {
	if l == nil {
		return ""
	}
	for _, level := range []struct {
		name  string
		level slog.Level
	}{{"trace", LevelTrace}, {"debug", slog.LevelDebug}, {"info", slog.LevelInfo}, {"warn", slog.LevelWarn}, {"error", slog.LevelError}} {
		if l.Enabled(context.Background(), level.level) {
			return level.name
		}
	}
	return ""
}

func (l LogLimit) withDefaults() LogLimit {
	if l.Rate < 0 {
		return LogLimit{math.MaxInt32, math.MaxInt32}
	}
	if l.Rate == 0 {
		l.Rate = 100
	}
	if l.Burst <= 0 {
		l.Burst = 500
	}
	return l
}

// logs are the processes whose records may not all be with the logger.
type logs struct {
	mu   sync.Mutex
	live map[*pluginProcess]struct{}
}

// newLog returns what takes the output of a plugin's process for the host's logger,
// or nil if there is none. It lasts until endLog.
func (p *pluginProcess) newLog(m *method) *pluginlog.Log {
	h := p.host
	if h.cfg.Logger == nil {
		return nil
	}
	h.logs.mu.Lock()
	defer h.logs.mu.Unlock()
	if h.logs.live == nil {
		h.logs.live = map[*pluginProcess]struct{}{}
	}
	h.logs.live[p] = struct{}{}
	limit := h.cfg.LogLimit.withDefaults()
	return pluginlog.New(pluginlog.Config{
		Rate: limit.Rate, Burst: limit.Burst, Counts: &m.logged,
		Dropped: func(n uint64) { h.tell(LogDropped{m.entry.Key, p.child.Pid, n}) },
	})
}

// beginLog lets the logger have the records, when it is known whose they are.
func (p *pluginProcess) beginLog(key registry.SpawnMethodKey) {
	if p.log == nil {
		return
	}
	who := []any{slog.String("method", string(key)), slog.Int("pid", p.child.Pid)}
	if p.path != "" {
		who = append(who, slog.String("path", p.path))
	}
	p.log.Begin(p.host.cfg.Logger.With(slog.Group(pluginlog.Group, who...)))
}

// endLog returns when the logger has had what the process has written, which has
// been read.
func (p *pluginProcess) endLog() {
	if p.log == nil {
		return
	}
	<-p.log.Finish()
	p.host.logs.mu.Lock()
	defer p.host.logs.mu.Unlock()
	delete(p.host.logs.live, p)
}

// wait waits until the logger has had everything of processes that have ended, but
// not longer than limit: it may be stuck.
func (l *logs) wait(limit time.Duration) {
	l.mu.Lock()
	live := slices.Collect(maps.Keys(l.live))
	l.mu.Unlock()
	if len(live) == 0 {
		return
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for _, p := range live {
		select {
		case <-p.done:
		case <-timer.C:
			return
		}
		select {
		case <-p.log.Finish():
		case <-timer.C:
			return
		}
	}
}
