//go:build unix

package tail_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/tail"
)

const limit = 20 * time.Second

// begin returns a tail that keeps ten bytes, and what is to be written to.
func begin(t *testing.T, to io.Writer) (*tail.Tail, *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return tail.New(r, 10, to), w
}

// finish calls Finish, which has to return.
func finish(t *testing.T, tl *tail.Tail, deadline time.Time) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		tl.Finish(deadline)
	}()
	select {
	case <-done:
	case <-time.After(limit):
		t.Fatal("Finish does not return")
	}
}

func TestTheLastPartIsKept(t *testing.T) {
	var all bytes.Buffer
	tl, w := begin(t, &all)
	text := strings.Repeat("0123456789", 10_000) + "the end"
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	w.Close()
	finish(t, tl, time.Now().Add(limit))
	if got := string(tl.Last()); got != "789the end" {
		t.Errorf("it has kept %q", got)
	}
	if all.String() != text {
		t.Errorf("%d bytes were handed on, want %d", all.Len(), len(text))
	}
}

// Somebody has the pipe open for ever.
func TestFinishWithAnOpenPipe(t *testing.T) {
	tl, w := begin(t, nil)
	if _, err := io.WriteString(w, "first"); err != nil {
		t.Fatal(err)
	}
	finish(t, tl, time.Now().Add(100*time.Millisecond))
	if got := string(tl.Last()); got != "first" {
		t.Errorf("it has kept %q", got)
	}
	if _, err := io.WriteString(w, "more"); err == nil {
		t.Error("the pipe is still open")
	}
}

// What was written is read, also by a read that comes too late.
func TestReadBehindTheDeadline(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, "the last words")
	w.Close()
	if err := r.SetReadDeadline(time.Now()); err != nil {
		t.Fatal(err)
	}
	var all bytes.Buffer
	tl := tail.New(r, 5, &all)
	finish(t, tl, time.Now().Add(limit))
	if all.String() != "the last words" || string(tl.Last()) != "words" {
		t.Errorf("it has read %q and kept %q", all.String(), tl.Last())
	}
}

// failing fails, and stuck waits for the end of the test.
type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("no more") }

type stuck chan struct{}

func (s stuck) Write(b []byte) (int, error) { <-s; return len(b), nil }

func TestAWriterThatFails(t *testing.T) {
	tl, w := begin(t, failing{})
	for range 100 { // more than a pipe takes
		if _, err := w.Write(make([]byte, 4096)); err != nil {
			t.Fatal(err)
		}
	}
	io.WriteString(w, "last words")
	w.Close()
	finish(t, tl, time.Now().Add(limit))
	if got := string(tl.Last()); got != "last words" {
		t.Errorf("it has kept %q", got)
	}
}

func TestAWriterThatIsStuck(t *testing.T) {
	s := make(stuck)
	defer close(s)
	tl, w := begin(t, s)
	io.WriteString(w, "words")
	w.Close()
	finish(t, tl, time.Now())
}

func TestNone(t *testing.T) {
	var tl *tail.Tail
	tl.Finish(time.Now())
	if tl.Last() != nil {
		t.Error("a nil Tail has something")
	}
}
