package pluginlog

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// MaxLine is how much of a line is kept, in bytes. The rest is dropped.
	MaxLine = 16 << 10
	// maxQueued bounds what waits for the logger, in bytes; entrySize is what a
	// line takes beside its own.
	maxQueued = 256 << 10
	entrySize = 128
	// reportTime is the time between two records about what was dropped.
	reportTime = time.Second
)

// A Config says how many records there are, and who is told.
type Config struct {
	// Rate is how many records there are in a second, in the long run, and Burst how
	// many at once. Zero is none.
	Rate, Burst int

	// Counts, if it is not nil, counts the records.
	Counts *Counts

	// Dropped, if it is not nil, is told how many were dropped since it was last
	// told, whenever that is logged: not before Begin. It must not wait.
	Dropped func(n uint64)
}

// Counts count records. They may be shared by several Logs.
type Counts struct {
	Records atomic.Uint64 // given to the logger, which may not have wanted them
	Dropped atomic.Uint64
}

// A Log is what one process logs. Its methods may be called concurrently; those of a
// nil Log do nothing.
type Log struct {
	cfg Config

	mu      sync.Mutex
	streams []*stream
	bucket  bucket
	queue   []entry
	queued  int           // the bytes of the queue
	logger  *slog.Logger  // nil before Begin
	idle    chan struct{} // closed when the queue has been handed on; nil while it is empty
	dropped uint64        // not said yet
	report  *time.Timer   // set while dropped is not 0
	over    bool          // Finish was called
}

// An entry is a line, or the news that some were dropped.
type entry struct {
	at      time.Time
	line    []byte
	cut     bool // it is the beginning of one
	crash   bool // it is of a crash
	dropped uint64
}

// New returns the Log of a process. Nothing is logged before Begin.
func New(cfg Config) *Log {
	if cfg.Counts == nil {
		cfg.Counts = new(Counts)
	}
	return &Log{cfg: cfg, bucket: bucket{rate: float64(cfg.Rate), burst: float64(cfg.Burst)}}
}

// Begin lets a logger have what there is and what is to come: the records one after
// the other, from a goroutine that is there as long as there are any. The logger may wait.
func (l *Log) Begin(logger *slog.Logger) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.idle != nil {
		go l.run(l.idle)
	}
	l.logger = logger
	l.reportLocked()
}

// Stream returns what takes one output of the process. Its Write does not wait and
// does not fail.
func (l *Log) Stream() io.Writer {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	s := &stream{log: l}
	l.streams = append(l.streams, s)
	return s
}

// Finish ends what the process has written, a last line without an end included,
// and returns a channel that is closed when the logger has had it all. What
// comes afterwards is passed over.
func (l *Log) Finish() <-chan struct{} {
	nothing := make(chan struct{})
	close(nothing)
	if l == nil {
		return nothing
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.over {
		now := time.Now()
		for _, s := range l.streams {
			s.endLocked(now)
		}
		l.reportLocked()
		l.over = true
	}
	if l.idle == nil {
		return nothing
	}
	return l.idle
}

// addLocked adds a line, which it copies, or drops it.
func (l *Log) addLocked(now time.Time, line []byte, cut, crash bool) {
	if l.queued+len(line)+entrySize > maxQueued || !l.bucket.take(now) {
		l.cfg.Counts.Dropped.Add(1)
		if l.dropped++; l.report == nil {
			l.report = time.AfterFunc(reportTime, l.reportDue)
		}
		return
	}
	l.cfg.Counts.Records.Add(1)
	l.pushLocked(entry{at: now, line: append([]byte(nil), line...), cut: cut, crash: crash})
}

func (l *Log) reportDue() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reportLocked()
}

// reportLocked says how many were dropped, if there is anybody to be told.
func (l *Log) reportLocked() {
	if l.report == nil || l.logger == nil {
		return
	}
	l.report.Stop()
	l.pushLocked(entry{at: time.Now(), dropped: l.dropped})
	if l.cfg.Dropped != nil {
		l.cfg.Dropped(l.dropped)
	}
	l.report, l.dropped = nil, 0
}

// pushLocked queues an entry for the logger.
func (l *Log) pushLocked(e entry) {
	l.queue = append(l.queue, e)
	l.queued += len(e.line) + entrySize
	if l.idle == nil {
		l.idle = make(chan struct{})
		if l.logger != nil {
			go l.run(l.idle) // it ends when the queue is empty; whoever has called Finish can wait for it
		}
	}
}

// run hands the queue on.
func (l *Log) run(idle chan struct{}) {
	for {
		l.mu.Lock()
		if len(l.queue) == 0 {
			l.queue, l.idle = nil, nil
			close(idle)
			l.mu.Unlock()
			return
		}
		e := l.queue[0]
		l.queue[0] = entry{}
		l.queue = l.queue[1:]
		l.mu.Unlock()
		l.hand(e)
		l.mu.Lock()
		l.queued -= len(e.line) + entrySize // it counts as long as the logger has it
		l.mu.Unlock()
	}
}

// hand gives one entry to the logger.
func (l *Log) hand(e entry) {
	var r slog.Record
	if e.dropped > 0 {
		r = slog.NewRecord(e.at, slog.LevelWarn, "plugin log records dropped", 0)
		r.AddAttrs(slog.Uint64("dropped", e.dropped))
	} else {
		r = recordOf(e)
	}
	ctx := context.Background() // of nobody's request
	if h := l.logger.Handler(); h.Enabled(ctx, r.Level) {
		h.Handle(ctx, r) // what it fails with is its own affair
	}
}
