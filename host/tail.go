package host

import (
	"bytes"
	"os"
	"sync"
	"time"
)

// tailSize is how much of a plugin's output is kept, in bytes.
const tailSize = 64 << 10

// A tail reads a pipe to its end and keeps the last part: a plugin that
// writes much is never held up, and its last words are there when it crashes.
type tail struct {
	file *os.File // the tail's own, closed by finish
	read chan struct{}

	mu   sync.Mutex
	kept []byte
}

func newTail(f *os.File) *tail {
	t := &tail{file: f, read: make(chan struct{})}
	go t.run()
	return t
}

func (t *tail) run() {
	defer close(t.read)
	buf := make([]byte, 8<<10)
	for {
		n, err := t.file.Read(buf)
		t.mu.Lock()
		t.kept = append(t.kept, buf[:n]...)
		if len(t.kept) > 2*tailSize {
			t.kept = append(t.kept[:0], t.kept[len(t.kept)-tailSize:]...)
		}
		t.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// finish reads what is left, for at most d: a descendant of the plugin may
// hold the pipe open for ever.
func (t *tail) finish(d time.Duration) {
	t.file.SetReadDeadline(time.Now().Add(d))
	<-t.read
	t.file.Close()
}

// last returns what was kept, tailSize bytes at most.
func (t *tail) last() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return bytes.Clone(t.kept[max(0, len(t.kept)-tailSize):])
}
