package wiretest

import (
	"os"
	"strings"
	"sync"
	"time"
)

// A tail keeps the last of what comes out of a pipe.
type tail struct {
	file    *os.File      // closed by Release
	drained chan struct{} // closed at the end of the pipe

	mu    sync.Mutex
	text  []byte
	grown chan struct{} // closed, and replaced, when text has
}

// keep is how much is kept, in bytes.
const keep = 64 << 10

// newTail returns the tail of a new pipe, and the pipe's write end.
func newTail() (*tail, *os.File, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	t := &tail{file: read, drained: make(chan struct{}), grown: make(chan struct{})}
	go t.drain() // waited for through drained
	return t, write, nil
}

func (t *tail) drain() {
	defer close(t.drained)
	buf := make([]byte, 4096)
	for {
		n, err := t.file.Read(buf)
		t.mu.Lock()
		t.text = append(t.text, buf[:n]...)
		t.text = t.text[max(0, len(t.text)-keep):]
		close(t.grown)
		t.grown = make(chan struct{})
		t.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// end waits for the end of the pipe, which a descendant may hold open, for
// limit at most.
func (t *tail) end(limit time.Duration) {
	t.file.SetReadDeadline(time.Now().Add(limit))
	<-t.drained
}

func (t *tail) close() {
	t.file.Close()
	<-t.drained
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}

// wait waits until text has come, for limit at most, and reports whether it
// has.
func (t *tail) wait(text string, limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		t.mu.Lock()
		found, grown := strings.Contains(string(t.text), text), t.grown
		t.mu.Unlock()
		if found {
			return true
		}
		select {
		case <-grown:
		case <-timer.C:
			return false
		}
	}
}
