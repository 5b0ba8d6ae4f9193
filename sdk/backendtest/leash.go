package backendtest

import (
	"io"
	"os"
	"time"
)

// A leash is a pipe whose writing end is given to a child: as long as the
// child, or anything below it, lives, the pipe does not end.
type leash struct {
	ours   *os.File // the reading end
	theirs *os.File // for the child's Files; closed by gone
}

// newLeash returns a leash that ends with the case.
func newLeash(t T) *leash {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatalf("a pipe: %v", err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return &leash{ours: r, theirs: w}
}

// gone holds that soon nobody has the other end any more, and returns what was
// written to it.
func (l *leash) gone(t T, what string) string {
	t.Helper()
	l.theirs.Close()
	l.ours.SetReadDeadline(time.Now().Add(soon))
	b, err := io.ReadAll(l.ours)
	if err != nil {
		t.Errorf("%s: %v later a process still has its output: %s", what, soon, holders(l.ours))
	}
	return string(b)
}

// line returns the next line of what the child writes, without its end.
func (l *leash) line(t T) string {
	t.Helper()
	l.ours.SetReadDeadline(time.Now().Add(patience))
	var line []byte
	for b := make([]byte, 1); ; {
		if _, err := l.ours.Read(b); err != nil {
			t.Fatalf("reading the child's output: %v (it has written %q)", err, line)
		}
		if b[0] == '\n' {
			return string(line)
		}
		line = append(line, b[0])
	}
}

// place returns a copy of files in which f is the child's descriptor n.
func place(files []*os.File, n int, f *os.File) []*os.File {
	out := make([]*os.File, max(n+1, len(files)))
	copy(out, files)
	out[n] = f
	return out
}
