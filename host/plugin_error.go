package host

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// A PluginError is what is known of the process of a plugin that could not be
// started, has gone, or does not answer. It is a cause of the *spawn.Error that
// says what went wrong, and is found by errors.As:
//
//	var pe *host.PluginError
//	if errors.As(err, &pe) {
//		os.Stderr.Write(pe.Stderr)
//	}
//
// An error that has crossed a process boundary keeps its text alone.
type PluginError struct {
	// Path is the plugin binary; empty for a built-in method.
	Path string
	// Pid is the process id it has, or had.
	Pid int
	// Ended is whether it had ended when the error was made, and Status how.
	// A plugin that the host had to kill has not ended by itself: Ended is
	// false.
	Ended  bool
	Status spawn.ExitStatus
	// Stdout and Stderr are the last 64 KiB of what it wrote to its
	// descriptors 1 and 2, byte for byte.
	Stdout, Stderr []byte
}

// Error says how the process ended, what it wrote last, and what that means
// where it is known. Of a Go program's panic it shows the beginning, of other
// output the end, 2 KiB at most; what a terminal could take for a command is
// replaced.
func (e *PluginError) Error() string {
	var parts []string
	if e.Ended {
		parts = append(parts, e.Status.String())
	}
	if hint := e.hint(); hint != "" {
		parts = append(parts, hint)
	}
	if text := excerpt(e.Stdout); text != "" {
		parts = append(parts, "its stdout ends with: "+text)
	}
	if text := excerpt(e.Stderr); text != "" {
		parts = append(parts, "its stderr ends with: "+text)
	}
	return strings.Join(parts, "; ")
}

// hint recognises what people do who build a plugin without the sdk.
func (e *PluginError) hint() string {
	switch {
	case bytes.Contains(e.Stderr, []byte("This binary is a plugin")), bytes.Contains(e.Stdout, []byte("This binary is a plugin")):
		return "it is a plugin of another program: want a spawn backend, built with the sdk"
	case handshakeLine().Match(e.Stdout):
		return "it wrote its handshake to descriptor 1, where it does not count: want it on descriptor 3, as the sdk does it"
	}
	return ""
}

// handshakeLine matches the line by which go-plugin says where it listens.
func handshakeLine() *regexp.Regexp { return regexp.MustCompile(`(?m)^\d+\|\d+\|(unix|tcp)\|`) }
