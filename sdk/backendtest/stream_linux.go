package backendtest

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"syscall"
	"time"
)

func streamCases() []Case {
	return []Case{{
		Name: "stream-bulk",
		Doc: "What goes through a child's input and output comes out as it went in, and the end of the input is seen as such: 32 MiB, and 1 " +
			"GiB in a heavy run.",
		Needs: []Ability{Programs},
		Run:   streamBulk,
	}, {
		Name: "stream-closed",
		Doc: "A child that writes to a pipe which nobody reads any more is ended by SIGPIPE, as under a shell, and is reported so: nobody " +
			"holds its output open, and nobody made it ignore the signal.",
		Needs: []Ability{Programs},
		Run:   streamClosed,
	}, {
		Name: "stream-unread",
		Doc: "A child whose output nobody reads is blocked and blocks no one else: others run to their end meanwhile, and stopping it takes " +
			"no longer than usual.",
		Needs: []Ability{Programs},
		Run:   streamUnread,
	}, {
		Name: "stream-left-open",
		Doc: "A child that leaves a descendant behind, which holds its output, has ended when it has: its exit is reported within a second, " +
			"though the output goes on.",
		Needs: []Ability{Programs},
		Run:   streamLeftOpen,
	}}
}

// A noise is endless, the same every time, and never repeats for long.
type noise struct {
	state [sha256.Size]byte
	rest  []byte
}

func (n *noise) Read(b []byte) (int, error) {
	for i := 0; i < len(b); {
		if len(n.rest) == 0 {
			n.state = sha256.Sum256(n.state[:])
			n.rest = bytes.Repeat(n.state[:], 128) // cheap, and still tells where a block is missing
		}
		c := copy(b[i:], n.rest)
		n.rest = n.rest[c:]
		i += c
	}
	return len(b), nil
}

func streamBulk(t T, e *Env) {
	size := int64(e.count(32<<20, 1<<30))
	in, feed, err := os.Pipe()
	if err != nil {
		t.Fatalf("a pipe: %v", err)
	}
	defer feed.Close()
	l := newLeash(t)
	spec := sh("cat")
	spec.Files = []*os.File{in, l.theirs}
	p := e.mustStart(t, "cat", spec)
	in.Close()
	l.theirs.Close()
	want := sha256.New()
	fed := make(chan error, 1)
	go func() { // waited for below
		_, err := io.Copy(feed, io.TeeReader(io.LimitReader(&noise{}, size), want))
		fed <- errors.Join(err, feed.Close())
	}()
	got := sha256.New()
	l.ours.SetReadDeadline(time.Now().Add(patience * time.Duration(e.count(1, 12))))
	n, err := io.Copy(got, l.ours)
	l.ours.Close() // lets the feeding end, whatever has happened
	if ferr := <-fed; ferr != nil || err != nil || n != size {
		t.Errorf("%d of %d bytes came out: %v, %v", n, size, ferr, err)
	} else if !bytes.Equal(got.Sum(nil), want.Sum(nil)) {
		t.Errorf("%d bytes came out, and not those that went in", n)
	}
	if s := await(t, p, "cat"); !s.Success() {
		t.Errorf("cat: %v", s)
	}
}

const endless = "while :; do echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy; done"

func streamClosed(t T, e *Env) {
	l := newLeash(t)
	spec := sh(endless)
	spec.Files = place(nil, 1, l.theirs)
	p := e.mustStart(t, "a child that writes", spec)
	l.theirs.Close()
	l.line(t)
	l.ours.Close()
	if s, ok := awaitFor(t, p, soon); !ok || s.Signal != syscall.SIGPIPE {
		t.Errorf("a child whose output is closed: %v, ended %v; want signal: broken pipe", s, ok)
	}
}

func streamUnread(t T, e *Env) {
	l := newLeash(t)
	spec := sh(endless)
	spec.Files = place(nil, 1, l.theirs)
	p := e.mustStart(t, "a child that nobody reads", spec)
	l.line(t)
	begin := time.Now()
	for range 3 {
		if got := e.output(t, "another child", sh("echo $((6*7))")); got != "42\n" {
			t.Errorf("another child says %q, want 42", got)
		}
	}
	if took := time.Since(begin); took > soon {
		t.Errorf("three other children took %v", took)
	}
	p.SetStop(unhurried())
	begin = time.Now()
	s, err := p.Stop(t.Context())
	if took := time.Since(begin); err != nil || s.Signal != syscall.SIGTERM || took > soon {
		t.Errorf("stopping it: %v, %v, after %v; want signal: terminated within a second", s, err, took)
	}
}

func streamLeftOpen(t T, e *Env) {
	l := newLeash(t)
	spec := sh("sleep 60 & echo hi")
	spec.Files = place(nil, 1, l.theirs)
	p := e.mustStart(t, "a child that leaves another behind", spec)
	if s, ok := awaitFor(t, p, soon); !ok || !s.Success() {
		t.Errorf("a child that leaves another behind: %v, ended %v; want exit status 0 within a second", s, ok)
	}
	if got := l.line(t); got != "hi" {
		t.Errorf("it said %q, want hi", got)
	}
}
