package host

import (
	"errors"
	"io"
	"os"
)

// StdinPipe returns a pipe to the child's standard input. Wait closes it; close
// it earlier to let the child see the end.
func (c *Cmd) StdinPipe() (io.WriteCloser, error) {
	if c.Stdin != nil {
		return nil, errors.New("hatchery: Stdin already set")
	}
	pr, pw, err := c.pipe("StdinPipe")
	if err != nil {
		return nil, err
	}
	c.Stdin = pr
	c.io().theirs, c.io().ours = append(c.io().theirs, pr), append(c.io().ours, pw)
	return pw, nil
}

// StdoutPipe returns a pipe from the child's standard output. Wait closes it,
// so read it to its end first.
func (c *Cmd) StdoutPipe() (io.ReadCloser, error) { return c.outputPipe("Stdout", &c.Stdout) }

// StderrPipe returns a pipe from the child's standard error. Wait closes it,
// so read it to its end first.
func (c *Cmd) StderrPipe() (io.ReadCloser, error) { return c.outputPipe("Stderr", &c.Stderr) }

func (c *Cmd) outputPipe(name string, to *io.Writer) (io.ReadCloser, error) {
	if *to != nil {
		return nil, errors.New("hatchery: " + name + " already set")
	}
	pr, pw, err := c.pipe(name + "Pipe")
	if err != nil {
		return nil, err
	}
	*to = pw
	c.io().theirs, c.io().ours = append(c.io().theirs, pw), append(c.io().ours, pr)
	return pr, nil
}

func (c *Cmd) pipe(name string) (r, w *os.File, err error) {
	if c.Process != nil {
		return nil, nil, errors.New("hatchery: " + name + " after process started")
	}
	return os.Pipe()
}

// prefixSuffix keeps the beginning and the end of what is written to it.
type prefixSuffix struct {
	prefix, suffix []byte
	skipped        int64
}

// keepSize is how much of each is kept.
const keepSize = 32 << 10

func (p *prefixSuffix) Write(b []byte) (int, error) {
	n := len(b)
	take := min(len(b), keepSize-len(p.prefix))
	p.prefix, b = append(p.prefix, b[:take]...), b[take:]
	p.suffix = append(p.suffix, b...)
	if over := len(p.suffix) - keepSize; over > 0 {
		p.suffix = append(p.suffix[:0], p.suffix[over:]...)
		p.skipped += int64(over)
	}
	return n, nil
}

// Bytes returns what was kept, with a note of what was not.
func (p *prefixSuffix) Bytes() []byte {
	out := append([]byte(nil), p.prefix...)
	if p.skipped > 0 {
		out = append(out, "\n... omitting "+itoa(int(p.skipped))+" bytes ...\n"...)
	}
	return append(out, p.suffix...)
}
