package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/spf13/cobra"
)

// Variables that do what --log and --log-file do.
const (
	logVariable     = "HATCHERY_LOG"
	logFileVariable = "HATCHERY_LOG_FILE"
)

func logLevels() []string { return []string{"trace", "debug", "info", "warn", "error"} }

// log sets where plugins log to, if they are to log at all, and what happens to
// them. It is always a file: standard error is the child's, and nothing is mixed into it. The file
// is to be closed when the host is.
func (r *request) log(cmd *cobra.Command, cfg *host.Config) (io.Closer, error) {
	level, source := r.logLevel, "--log"
	if level == "" {
		level, source = os.Getenv(logVariable), "$"+logVariable
	}
	if level == "" {
		return io.NopCloser(nil), nil
	}
	if !slices.Contains(logLevels(), level) {
		return nil, usage(cmd, "%s=%q: want %s", source, level, join(logLevels(), "or"))
	}
	path := r.logFile
	if path == "" {
		path = os.Getenv(logFileVariable)
	}
	if path == "" {
		return nil, usage(cmd, "%s=%s says nothing of where to: want --log-file FILE or $%s too (standard error is the child's)",
			source, level, logFileVariable)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o666)
	if err != nil {
		return nil, &failure{codeFailed, fmt.Errorf("log file: %w", err), ""}
	}
	log := slog.New(slog.NewTextHandler(f, &slog.HandlerOptions{Level: levelOf(level), ReplaceAttr: nameTrace}))
	cfg.Logger, cfg.OnEvent = log, logged(log)
	return f, nil
}

func levelOf(name string) (l slog.Level) {
	if name == "trace" {
		return host.LevelTrace
	}
	l.UnmarshalText([]byte(name)) // checked
	return l
}

// nameTrace gives the lowest level the name that it is asked for by.
func nameTrace(groups []string, a slog.Attr) slog.Attr {
	if l, ok := a.Value.Any().(slog.Level); ok && len(groups) == 0 && a.Key == slog.LevelKey && l == host.LevelTrace {
		a.Value = slog.StringValue("TRACE")
	}
	return a
}

// logged returns what logs the host's events. What plugins log comes by itself.
func logged(log *slog.Logger) func(host.Event) {
	return func(e host.Event) {
		switch e := e.(type) {
		case host.PluginChanged:
			level, attrs := slog.LevelDebug, []slog.Attr{slog.String("method", string(e.Key)), slog.String("state", string(e.State))}
			if e.Pid != 0 {
				attrs = append(attrs, slog.Int("pid", e.Pid))
			}
			if e.Reason != nil {
				level, attrs = slog.LevelWarn, append(attrs, slog.String("reason", e.Reason.Error()))
			}
			log.LogAttrs(context.Background(), level, "plugin", attrs...)
		case host.KeeperKilled:
			log.Error("the keeper was killed, and what it had started with it", "pid", e.Pid, "left", len(e.Left))
		}
	}
}
