package main

import (
	"fmt"
	"io"
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

// log sets where plugins log to, if they are to log at all. It is always a
// file: standard error is the child's, and nothing is mixed into it. The file
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
	cfg.LogLevel, cfg.LogWriter = level, f
	return f, nil
}
