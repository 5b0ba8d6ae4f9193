package sdk

import (
	"log/slog"
	"testing"
)

func TestLogLevel(t *testing.T) {
	for name, want := range map[string]slog.Level{
		"trace": LevelTrace, "debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
		"": slog.LevelError, "loud": slog.LevelError,
	} {
		if got := logLevel(name); got != want {
			t.Errorf("%q: %v, want %v", name, got, want)
		}
	}
}
