package sdk

import (
	"log/slog"
	"os"

	"github.com/hatchery-spawn/hatchery/internal/wire"
)

// LevelTrace is the level below [slog.LevelDebug] that a host may ask for: trace.
const LevelTrace = slog.LevelDebug - 4

// Logger returns a logger whose records the host gives to its own logger as they are,
// with level, time, attributes and groups, and with whose they are. It writes
// JSON to standard error, a line each, at the level that the host asks for, and
// is silent but for errors when nobody listens: those are among the plugin's last
// words.
//
// A host takes so many records of a plugin and no more, 100 a second and 500 at once
// as a rule, and 16 KiB of each; what is beyond that is dropped, and counted. To
// log never waits for the host's logger.
//
// It is to be called before [Main] or by a method of the backend. What a
// backend prints by other means is logged too, a record of level info a line.
func Logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: logLevel(os.Getenv(wire.LogVariable))}))
}

// logLevel returns the level that a host asks for by name.
func logLevel(name string) slog.Level {
	var l slog.Level
	switch {
	case name == "trace":
		return LevelTrace
	case l.UnmarshalText([]byte(name)) == nil:
		return l
	}
	return slog.LevelError
}
