// Package pluginlog makes records of a [slog.Logger] of what plugins write to their
// standard output and error.
//
//	l := pluginlog.New(pluginlog.Config{Rate: 100, Burst: 500})
//	l.Begin(logger.With("method", "forkexec"))
//	io.Copy(l.Stream(), stderr)
//	l.Finish()
//
// A line is a record. One that is a JSON object with a message, as package log/slog,
// hclog and most loggers of other languages write it, keeps its level, its time
// and its attributes; any other is its own message, and a level is looked for where
// people write it. The stack of a crash is an error.
//
// # Guarantees
//
// Write never waits, whatever the logger does: a plugin whose pipe is read here is
// not held up by it. The memory is bounded, whatever the plugin writes: a line is cut
// at [MaxLine] bytes, and [maxQueued] bytes wait for a slow logger. A token
// bucket bounds how many records there are; what is beyond it, or has no
// place in the queue, is dropped, counted, and said to be: once a second at most, in
// a record of its own.
//
// # What it is not
//
// A filter: the levels below the logger's are dropped by it, after they have been
// counted against the bucket. To read a flood of them only to throw it away would
// give the plugin the host's processor. (It is told the level, and a plugin by the
// sdk writes no more than is wanted.)
package pluginlog
