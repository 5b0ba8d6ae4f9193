package backendtest

import (
	"strings"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// statusScript says what the kernel knows of the child: see proc_pid_status(5).
// The shell becomes cat, which has what the shell was given; while it waits for
// another program it may block signals.
const statusScript = "exec cat /proc/self/status"

// status returns the fields of what a child with the script says.
func (e *Env) status(t T, what string, spec spawn.Spec) map[string]string {
	t.Helper()
	return fields(e.output(t, what, spec))
}

// fields takes apart lines of the form "name: value".
func fields(text string) map[string]string {
	out := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(line, ":"); ok {
			out[name] = strings.Join(strings.Fields(value), " ")
		}
	}
	return out
}
