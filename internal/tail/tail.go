package tail

import (
	"bytes"
	"errors"
	"io"
	"os"
	"sync"
	"time"
)

// A Tail reads one pipe. Its methods may be called concurrently; those of a nil Tail
// do nothing.
type Tail struct {
	file *os.File      // closed by Finish
	size int           // how much is kept, in bytes
	to   io.Writer     // what was read goes there too, if it is not nil
	read chan struct{} // closed when nothing is read any more

	mu   sync.Mutex
	kept []byte
}

// New returns a Tail that keeps the last size bytes, and hands everything on to to, if
// that is not nil, until it fails. The file is the Tail's from then on.
func New(f *os.File, size int, to io.Writer) *Tail {
	t := &Tail{file: f, size: size, to: to, read: make(chan struct{})}
	go t.run()
	return t
}

func (t *Tail) run() {
	defer close(t.read)
	buf := make([]byte, 8<<10)
	for {
		n, err := t.file.Read(buf)
		t.take(buf[:n])
		if errors.Is(err, os.ErrDeadlineExceeded) {
			t.sweep(buf)
		}
		if err != nil {
			return
		}
	}
}

func (t *Tail) take(b []byte) {
	t.keep(b)
	if t.to != nil && len(b) > 0 {
		if _, err := t.to.Write(b); err != nil {
			t.to = nil // the process must not suffer for it
		}
	}
}

func (t *Tail) keep(b []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, b...)
	if len(t.kept) > 2*t.size {
		t.kept = append(t.kept[:0], t.kept[len(t.kept)-t.size:]...)
	}
}

// writeTime is what a Writer has after the deadline.
const writeTime = 100 * time.Millisecond

// maxSwept bounds what is read behind the deadline, in bytes: as much as a pipe holds
// unless somebody has made it larger.
const maxSwept = 64 << 10

// Finish reads what is left, until the deadline at most: somebody else may hold the
// pipe open for ever. What was written before the deadline is read in any case,
// 64 KiB at most. Then it closes the file. A Writer that is stuck is left behind.
func (t *Tail) Finish(deadline time.Time) {
	if t == nil {
		return
	}
	t.file.SetReadDeadline(deadline)
	timer := time.NewTimer(time.Until(deadline) + writeTime)
	defer timer.Stop()
	select {
	case <-t.read:
	case <-timer.C:
	}
	t.file.Close()
}

// Last returns what is kept so far.
func (t *Tail) Last() []byte {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return bytes.Clone(t.kept[max(0, len(t.kept)-t.size):])
}
