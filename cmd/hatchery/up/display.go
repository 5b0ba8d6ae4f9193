package up

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// A display shows the output of the services, a line at a time, and what becomes of
// them. One goroutine writes. Who has output waits for it; who has something to
// note does not.
type display struct {
	stdout, stderr *os.File
	live           *live // nil unless both are a terminal

	lines   chan []byte   // to stdout
	noted   chan struct{} // room for one: there are notes
	closing chan struct{} // closed by close
	over    chan struct{} // closed when all is written
	broken  chan error    // room for one: standard output takes no more
	readers sync.WaitGroup

	mu    sync.Mutex
	notes [][]byte // to stderr
	width int      // of the longest name
	state map[string]string
	order []string
}

func newDisplay(stdout, stderr *os.File) *display {
	d := &display{
		stdout: stdout, stderr: stderr, live: newLive(stdout, stderr), state: map[string]string{},
		lines: make(chan []byte), noted: make(chan struct{}, 1), closing: make(chan struct{}),
		over: make(chan struct{}), broken: make(chan error, 1),
	}
	go d.write()
	return d
}

// line has a line of a service written. It reports whether there is more to come.
func (d *display) line(name string, text []byte) bool {
	d.mu.Lock()
	width := d.width
	d.mu.Unlock()
	text = bytes.TrimRight(text, "\r\n")
	line := fmt.Appendf(nil, "%-*s | %s\n", width, name, printable(text))
	select {
	case d.lines <- line:
		return true
	case <-d.over:
		return false
	}
}

// note has a line of this command's own written.
func (d *display) note(format string, args ...any) {
	text := strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", "; ")
	d.mu.Lock()
	d.notes = append(d.notes, fmt.Appendf(nil, "hatchery: %s\n", printable([]byte(text))))
	d.mu.Unlock()
	select {
	case d.noted <- struct{}{}:
	default:
	}
}

// write writes until the display is closed and nobody has anything left.
func (d *display) write() {
	defer close(d.over)
	drained := make(chan struct{})
	go func() {
		<-d.closing
		d.readers.Wait()
		close(drained)
	}()
	for {
		select { // notes first: a flood must not hide them
		case <-d.noted:
			d.writeNotes()
			continue
		default:
		}
		select {
		case <-d.noted:
			d.writeNotes()
		case line := <-d.lines:
			d.put(d.stdout, line)
		case <-drained:
			d.writeNotes()
			d.live.clear()
			return
		}
	}
}

func (d *display) writeNotes() {
	d.mu.Lock()
	notes := d.notes
	d.notes = nil
	status := d.statusLocked()
	d.mu.Unlock()
	for _, n := range notes {
		d.put(d.stderr, n)
	}
	d.live.show(status)
}

// put writes a line above the live status.
func (d *display) put(to *os.File, line []byte) {
	d.live.clear()
	if _, err := to.Write(line); err != nil {
		select {
		case d.broken <- err:
		default:
		}
	}
	d.live.again()
}

// closeTime is how long close waits for a standard output that is not read.
const closeTime = 2 * time.Second

// close has everything written that is there yet. Nobody may start an output after.
func (d *display) close() {
	close(d.closing)
	timer := time.NewTimer(closeTime)
	defer timer.Stop()
	select {
	case <-d.over:
	case <-timer.C:
	}
}
