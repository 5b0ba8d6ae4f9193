package peer

import (
	"bufio"
	_ "embed" // the program
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

//go:embed program.py
var program string

// A Multiprocessing is a Python program that starts children by the forkserver of
// its standard library when it is told to. It is for one goroutine at a time.
type Multiprocessing struct {
	// Cmd is that program. It may be changed before Start.
	*exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// New returns one that is run by the given interpreter, and whose forkserver loads
// modules ahead: their names, with a comma between them.
func New(python, modules string) *Multiprocessing {
	return &Multiprocessing{Cmd: exec.Command(python, "-c", program, modules)}
}

// Start starts the program. Whoever has started it calls Close.
func (m *Multiprocessing) Start() error {
	in, err := m.StdinPipe()
	if err != nil {
		return err
	}
	out, err := m.StdoutPipe()
	if err != nil {
		return errors.Join(err, in.Close())
	}
	m.in, m.out = in, bufio.NewReader(out)
	return m.Cmd.Start()
}

// Child starts a child and returns how long that took: from the request until its
// function ran. It waits for the child's end, and for that of the program if somebody kills
// it.
func (m *Multiprocessing) Child() (time.Duration, error) {
	if _, err := io.WriteString(m.in, "\n"); err != nil {
		return 0, err
	}
	line, err := m.out.ReadString('\n')
	if err != nil {
		return 0, fmt.Errorf("python3's multiprocessing: %w", err)
	}
	ns, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	return time.Duration(ns), err
}

// Close ends the program, with all that it has started: they have its standard
// output, and this waits until nobody has that any more.
func (m *Multiprocessing) Close() {
	m.in.Close()
	io.Copy(io.Discard, m.out)
	m.Wait()
}
