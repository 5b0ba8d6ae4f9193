package pluginlog

import (
	"log/slog"
	"strings"
	"time"
	"unicode"
)

// recordOf returns the record that a line is.
func recordOf(e entry) slog.Record {
	if r, ok := fromJSON(e); ok {
		return r
	}
	text := strings.ToValidUTF8(string(e.line), "\ufffd")
	at, level := e.at, slog.LevelError
	if !e.crash {
		at, text = leadingTime(at, text)
		level, text = leadingLevel(text)
	}
	r := slog.NewRecord(at, level, plain(text), 0)
	if e.cut {
		r.AddAttrs(slog.Bool(cutKey, true))
	}
	return r
}

// cutKey is the attribute of a line that is the beginning of a longer one.
const cutKey = "cut"

// plain returns text that a terminal shows and does not obey.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || r == '\n' || unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text)
}

// leadingTime takes a time off the beginning of a line, as hclog writes it.
func leadingTime(arrived time.Time, text string) (time.Time, string) {
	word, rest, _ := strings.Cut(text, " ")
	if at, ok := timeOf(word); ok {
		return at, rest
	}
	return arrived, text
}

// timeOf reads a time as loggers write it.
func timeOf(text string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

// leadingLevel takes a level off the beginning of a line: "[WARN] x", "WARNING:x".
func leadingLevel(text string) (slog.Level, string) {
	if inside, rest, ok := strings.Cut(strings.TrimPrefix(text, "["), "]"); ok && text[0] == '[' {
		if level, ok := levelOf(inside); ok {
			return level, strings.TrimLeft(rest, " ")
		}
	}
	if word, rest, ok := strings.Cut(text, ":"); ok {
		if level, ok := levelOf(word); ok {
			return level, strings.TrimLeft(rest, " ")
		}
	}
	return slog.LevelInfo, text
}

// LevelTrace is the level below debug, which package slog has no name for.
const LevelTrace = slog.LevelDebug - 4

// levelOf reads a level by the names that loggers have for it.
func levelOf(name string) (slog.Level, bool) {
	switch strings.ToLower(name) {
	case "trace":
		return LevelTrace, true
	case "debug":
		return slog.LevelDebug, true
	case "info", "notice":
		return slog.LevelInfo, true
	case "warn", "warning":
		return slog.LevelWarn, true
	case "error", "err", "fatal", "critical", "panic":
		return slog.LevelError, true
	}
	var l slog.Level // "DEBUG-4", "INFO+1"
	if strings.ContainsAny(name, "+-") && l.UnmarshalText([]byte(name)) == nil {
		return l, true
	}
	return 0, false
}
