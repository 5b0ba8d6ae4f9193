package parent

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// tailSize is how much of an actor's standard error is kept, in bytes.
const tailSize = 16 << 10

// A tail reads an actor's standard error to its end and keeps the last part. A
// nil tail is that of an actor whose standard error is somebody else's.
type tail struct {
	file *os.File      // the tail's own, closed by finish
	to   io.Writer     // what was read goes there too, if it is not nil
	read chan struct{} // closed when nothing is read any more

	mu   sync.Mutex
	kept []byte
}

// newTail returns a tail and the other end of its pipe, which the caller closes.
func newTail(to io.Writer) (*tail, *os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	t := &tail{file: r, to: to, read: make(chan struct{})}
	go t.run()
	return t, w, nil
}

func (t *tail) run() {
	defer close(t.read)
	buf := make([]byte, 4<<10)
	for {
		n, err := t.file.Read(buf)
		t.mu.Lock()
		t.kept = append(t.kept, buf[:n]...)
		if len(t.kept) > 2*tailSize {
			t.kept = append(t.kept[:0], t.kept[len(t.kept)-tailSize:]...)
		}
		t.mu.Unlock()
		if t.to != nil && n > 0 {
			if _, werr := t.to.Write(buf[:n]); werr != nil {
				t.to = nil // the actor must not suffer for it
			}
		}
		if err != nil {
			return
		}
	}
}

// finish reads what is left, until the deadline at most, and returns what was
// kept. A Writer that is stuck is left behind.
func (t *tail) finish(deadline time.Time) []byte {
	if t == nil {
		return nil
	}
	t.file.SetReadDeadline(deadline)
	timer := time.NewTimer(time.Until(deadline) + drainTime)
	defer timer.Stop()
	select {
	case <-t.read:
	case <-timer.C:
	}
	t.file.Close()
	return t.last()
}

func (t *tail) last() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return bytes.Clone(t.kept[max(0, len(t.kept)-tailSize):])
}

// words is lastWords of what is there so far.
func (t *tail) words() string {
	if t == nil {
		return ""
	}
	return lastWords(t.last())
}

// maxWords is how much of the last words is quoted, in bytes.
const maxWords = 400

// lastWords quotes the end of what a process wrote, for an error.
func lastWords(b []byte) string {
	b = bytes.TrimSpace(b)
	if len(b) == 0 {
		return ""
	}
	if len(b) > maxWords {
		b = b[len(b)-maxWords:]
		if i := bytes.IndexByte(b, '\n'); i >= 0 && i < len(b)-1 {
			b = b[i+1:]
		}
	}
	return fmt.Sprintf(", its last words: %q", b)
}
