package host

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"reflect"
	"sync"
	"syscall"
	"time"
)

// stdio is what a Cmd has open for its child.
type stdio struct {
	theirs  []*os.File // the child's ends: closed after the start
	ours    []*os.File // ours: closed when Wait is done
	inputs  []func() error
	outputs []*copier
	input   chan error // what the copying of Stdin ended with
}

// open returns the child's descriptors.
func (s *stdio) open(c *Cmd) ([]*os.File, error) {
	files := make([]*os.File, 3, 3+len(c.ExtraFiles))
	var err error
	if files[0], err = s.reader(c.Stdin); err != nil {
		return nil, err
	}
	if files[1], err = s.writer(c.Stdout); err != nil {
		return nil, err
	}
	if c.Stderr != nil && sameWriter(c.Stderr, c.Stdout) {
		files[2] = files[1]
	} else if files[2], err = s.writer(c.Stderr); err != nil {
		return nil, err
	}
	return append(files, c.ExtraFiles...), nil
}

// sameWriter compares two writers, of which some cannot be compared.
func sameWriter(a, b io.Writer) bool {
	return a != nil && b != nil && reflect.TypeOf(a).Comparable() && reflect.TypeOf(a) == reflect.TypeOf(b) && a == b
}

func (s *stdio) reader(r io.Reader) (*os.File, error) {
	if r == nil {
		return nil, nil
	}
	if f, ok := r.(*os.File); ok {
		return f, nil
	}
	pr, pw, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	s.theirs, s.ours = append(s.theirs, pr), append(s.ours, pw)
	s.inputs = append(s.inputs, func() error {
		_, err := io.Copy(pw, r)
		if errors.Is(err, syscall.EPIPE) || errors.Is(err, fs.ErrClosed) {
			err = nil // the child did not want it all
		}
		if cerr := pw.Close(); err == nil && !errors.Is(cerr, fs.ErrClosed) {
			err = cerr
		}
		return err
	})
	return pr, nil
}

func (s *stdio) writer(w io.Writer) (*os.File, error) {
	if w == nil {
		return nil, nil
	}
	if f, ok := w.(*os.File); ok {
		return f, nil
	}
	pr, pw, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	s.theirs, s.ours = append(s.theirs, pw), append(s.ours, pr)
	s.outputs = append(s.outputs, &copier{from: pr, to: w, done: make(chan struct{})})
	return pw, nil
}

// begin starts copying.
func (s *stdio) begin() {
	closeFiles(s.theirs)
	s.theirs = nil
	s.input = make(chan error, len(s.inputs))
	for _, f := range s.inputs {
		go func() { s.input <- f() }()
	}
	for _, c := range s.outputs {
		go c.run()
	}
}

// abandon closes everything: the child was not started.
func (s *stdio) abandon() {
	closeFiles(s.theirs)
	closeFiles(s.ours)
	s.theirs, s.ours = nil, nil
}

// finish waits for the copying of output after the child has ended, and
// closes our ends. It returns the first error of copying, or
// exec.ErrWaitDelay when something had to be cut off.
func (s *stdio) finish(delay time.Duration, limits Timeouts) error {
	drain := limits.Drain
	if delay > 0 {
		drain = delay
	}
	var first error
	note := func(err error) {
		if first == nil {
			first = err
		}
	}
	deadline := time.Now().Add(drain)
	for _, c := range s.outputs {
		held := c.drain(deadline)
		if held && delay > 0 {
			note(exec.ErrWaitDelay)
		}
		if !c.await(limits.Close) {
			note(exec.ErrWaitDelay)
			continue
		}
		note(c.err)
	}
	closeFiles(s.ours)
	for range s.inputs {
		select {
		case err := <-s.input:
			note(err)
		default: // whoever it reads from is not waited for
		}
	}
	return first
}

func closeFiles(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}

// A copier copies a child's output to a Writer.
type copier struct {
	from *os.File // closed by stdio
	to   io.Writer
	done chan struct{}
	err  error // once done

	mu     sync.Mutex
	copied int64
}

func (c *copier) run() {
	defer close(c.done)
	buf := make([]byte, 32<<10)
	for {
		n, rerr := c.from.Read(buf)
		if n > 0 && !c.write(buf[:n]) {
			return
		}
		switch {
		case rerr == nil:
		case errors.Is(rerr, os.ErrDeadlineExceeded):
			c.rest(buf)
			return
		case errors.Is(rerr, io.EOF) || errors.Is(rerr, fs.ErrClosed):
			return
		default:
			c.err = rerr
			return
		}
	}
}

func (c *copier) write(b []byte) bool {
	n, err := c.to.Write(b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	c.mu.Lock()
	c.copied += int64(n)
	c.mu.Unlock()
	c.err = err
	return err == nil
}

// maxRest is the most that a pipe can hold by default, pipe(7): what was in it
// when the time for more was up is not cut off, what comes later is.
const maxRest = 1 << 20

// rest copies what is in the pipe, without waiting for more.
func (c *copier) rest(buf []byte) {
	raw, err := c.from.SyscallConn()
	if err != nil {
		return
	}
	for total := 0; total < maxRest; {
		n := 0
		if err := raw.Control(func(fd uintptr) { n, _ = syscall.Read(rawFD(fd), buf) }); err != nil || n <= 0 {
			return
		}
		if total += n; !c.write(buf[:n]) {
			return
		}
	}
}

// drain waits for the end of the copying until the deadline. Then the pipe is
// held open by somebody else, which drain reports, and copying ends with what
// is in it.
func (c *copier) drain(deadline time.Time) (held bool) {
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	select {
	case <-c.done:
		return false
	case <-timer.C:
	}
	c.from.SetReadDeadline(time.Now())
	return true
}

// await waits until the copier is done, as long as it gets on: a Writer that
// takes nothing for the time of limit is given up.
func (c *copier) await(limit time.Duration) bool {
	for last := int64(-1); ; {
		timer := time.NewTimer(limit)
		select {
		case <-c.done:
			timer.Stop()
			return true
		case <-timer.C:
		}
		c.mu.Lock()
		now := c.copied
		c.mu.Unlock()
		if now == last {
			return false
		}
		last = now
	}
}
