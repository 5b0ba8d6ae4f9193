package host

import (
	"log/slog"
	"time"

	"github.com/hatchery-spawn/hatchery/registry"
)

// Config says how to open a host. The zero value is ready for use.
type Config struct {
	// Registry has the methods to choose from. Nil means those given to
	// Init. A registry of one's own may hold plugin binaries, and of the
	// built-in methods any that were given to Init.
	Registry *registry.Registry

	// Method is the method to start with. Empty means
	// registry.DefaultKey. It is not probed: see Select.
	Method registry.SpawnMethodKey

	// Timeouts bound every wait.
	Timeouts Timeouts

	// OnEvent is told what happens to plugins ([PluginChanged]) and to a keeper that
	// was killed ([KeeperKilled]), and of log records that were dropped ([LogDropped]),
	// one event at a time and in order, beside the host, which it does not hold up.
	OnEvent func(Event)

	// Logger gets what plugins log: what they write to their descriptors 1 and 2, a
	// record a line, with the group "plugin" of method, pid and, for a binary,
	// path. Nil means that nothing is logged. The library itself never logs.
	//
	// Plugins are told the lowest level that Logger has enabled when they
	// are started, in $HATCHERY_LOG. A Logger that waits holds up nobody: what has
	// no place in a queue of 256 KiB for each plugin is dropped.
	Logger *slog.Logger

	// LogLimit bounds how much a plugin can log.
	LogLimit LogLimit

	// Observer is told what the host does, for traces and metrics. Nil costs nothing.
	Observer Observer
}

// LogLimit bounds how many records Config.Logger gets of one plugin, those included
// that are below its level. The others are dropped and counted; a record of level
// warn and an event, [LogDropped], say how many.
type LogLimit struct {
	// Rate is how many records a second there may be, in the long run. Zero means
	// 100, less than zero that there is no limit.
	Rate int
	// Burst is how many there may be at once. Zero means 500.
	Burst int
}

// Timeouts bound every wait of a host, by name. Zero means the default.
type Timeouts struct {
	// Start bounds the start of a plugin, from its clone to its answer to
	// the first request. 10 s.
	Start time.Duration
	// Spawn bounds a spawn, from the request to the exec. 10 s.
	Spawn time.Duration
	// Call bounds a single request to a plugin. 2 s.
	Call time.Duration
	// Grace is what a child has between SIGTERM and SIGKILL. 5 s.
	Grace time.Duration
	// Close is what Close takes beyond the grace, at most. 2 s.
	Close time.Duration
	// Idle is how long a plugin is kept that nobody needs. It is started again
	// when it is needed. 30 s.
	Idle time.Duration
	// Drain is how long Wait goes on reading a child's output after its
	// exit, for what descendants that still hold the pipe write. 100 ms.
	Drain time.Duration
}

func (t Timeouts) withDefaults() Timeouts {
	set := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	set(&t.Start, 10*time.Second)
	set(&t.Spawn, 10*time.Second)
	set(&t.Call, 2*time.Second)
	set(&t.Grace, 5*time.Second)
	set(&t.Close, 2*time.Second)
	set(&t.Idle, 30*time.Second)
	set(&t.Drain, 100*time.Millisecond)
	return t
}
