package wire

import (
	"context"
	"os"
	"time"
)

// A Process is a plugin process, as whoever started it knows it.
type Process interface {
	// Pid is its process id in the host's pid namespace.
	Pid() int
	// Done is closed once the process has been reaped.
	Done() <-chan struct{}
	// Kill ends it and its process group with SIGKILL, without waiting. It
	// is nil for one that has ended.
	Kill() error
	// Diagnose returns what is known about it: how it ended, if it has, and
	// the last it wrote. Its text becomes part of error messages and may be
	// empty; it becomes a cause of those errors itself. It may be nil.
	Diagnose() error
}

// A ClientConfig says how to start a plugin and talk to it.
type ClientConfig struct {
	// Key is the method that the plugin has to serve.
	Key string

	// Start starts the plugin process. env is what the process needs in its
	// environment beside what the host gives it; handshake becomes its
	// descriptor HandshakeFD, and is closed by Dial once Start has returned.
	// The plugin's end of the plan lane, descriptor LaneFD, is the caller's
	// affair, and so are descriptors 0 to 2.
	//
	// ctx is done when Dial gives up. Start has to return soon after; a
	// process that it started all the same is killed.
	Start func(ctx context.Context, env []string, handshake *os.File) (Process, error)

	// Lane, if not nil, is the host's end of the plan lane. A plugin that says
	// hello there has said what it is, and Dial waits for no connection: one
	// that was offered to serve early brings it up when it is needed, and one
	// that speaks JSON has none.
	Lane *Planner

	// SocketDir is an existing folder of mode 0700 for the control socket.
	// Its path has at most 62 bytes, as that of a socket has few.
	SocketDir string

	// StartTimeout bounds the whole of Dial: start, handshake, connection
	// and the first call. Zero is 10 s.
	StartTimeout time.Duration

	// CallTimeout bounds each call whose context has no deadline. Zero is
	// 2 s.
	CallTimeout time.Duration

	// API is the versions that the host speaks. Zero is all that this package
	// does.
	API APIRange

	// LogLevel is what the plugin is told of the level at which it is to log:
	// trace, debug, info, warn or error. Empty tells it nothing.
	LogLevel string
}

func (c ClientConfig) withDefaults() ClientConfig {
	if c.StartTimeout == 0 {
		c.StartTimeout = 10 * time.Second
	}
	if c.CallTimeout == 0 {
		c.CallTimeout = 2 * time.Second
	}
	c.API = c.API.orOurs()
	return c
}
