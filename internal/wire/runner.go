package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/hashicorp/go-plugin/runner"
)

// A pluginRunner is the process as go-plugin sees it. go-plugin waits for the
// end of both output streams before it asks whether the process has ended; so
// its standard output is the handshake pipe, its standard error is empty, and
// both end with the process or when the runner is abandoned, whatever a
// descendant of the plugin may hold open.
type pluginRunner struct {
	key   string
	env   []string
	start func(env []string, handshake *os.File) (Process, error)
	line  *handshakeReader

	up        chan struct{} // closed when there is a process
	abandoned chan struct{} // closed by abandon
	ended     chan struct{} // closed when the process has, or was abandoned
	once      sync.Once     // closes abandoned

	mu      sync.Mutex
	process Process // nil until it has been started
}

var _ runner.Runner = (*pluginRunner)(nil)

// drain bounds how long output that an ended process left in the pipe is
// waited for when a descendant of it holds the pipe open.
const drain = 100 * time.Millisecond

var errAbandoned = errors.New("the start was given up")

func newRunner(key string, start func([]string, *os.File) (Process, error)) *pluginRunner {
	return &pluginRunner{
		key: key, start: start, line: newHandshakeReader(),
		up: make(chan struct{}), abandoned: make(chan struct{}), ended: make(chan struct{}),
	}
}

// Start starts the process. It is called once, by go-plugin.
func (r *pluginRunner) Start(context.Context) error {
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	r.line.file = read
	p, err := r.start(r.env, write)
	write.Close()
	if err != nil {
		read.Close()
		return err
	}
	r.mu.Lock()
	r.process = p
	r.mu.Unlock()
	close(r.up)
	go r.watch(p) // waited for by Wait, through ended
	return nil
}

// watch ends the streams with the process.
func (r *pluginRunner) watch(p Process) {
	defer close(r.ended)
	defer r.line.file.Close()
	select {
	case <-r.abandoned:
		p.Kill()
		return
	case <-p.Done():
	}
	// What it wrote before it ended may not have been read.
	timer := time.NewTimer(drain)
	defer timer.Stop()
	select {
	case <-r.line.over:
	case <-timer.C:
	case <-r.abandoned:
	}
}

// abandon ends the process and everything that go-plugin waits for, whether or
// not the process can be ended.
func (r *pluginRunner) abandon() { r.once.Do(func() { close(r.abandoned) }) }

// started returns the process, or nil.
func (r *pluginRunner) started() Process {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.process
}

// Wait waits for the end of the process.
func (r *pluginRunner) Wait(context.Context) error {
	<-r.ended
	return nil
}

// Kill does nothing. go-plugin calls it the moment a start has failed, when it
// is not known yet whether the process is ending by itself and how; Dial and
// Close abandon the runner when they know.
func (r *pluginRunner) Kill(context.Context) error { return nil }

// Stdout is what go-plugin reads the handshake line from.
func (r *pluginRunner) Stdout() io.ReadCloser { return r.line }

// Stderr is empty and ends with the process: whoever started it drains its
// real one.
func (r *pluginRunner) Stderr() io.ReadCloser { return untilClosed(r.ended) }

// Name is the method's key.
func (r *pluginRunner) Name() string { return r.key }

// ID is the process id; go-plugin does not clean up after a runner without one.
func (r *pluginRunner) ID() string {
	if p := r.started(); p != nil {
		return strconv.Itoa(p.Pid())
	}
	return "not started"
}

// Diagnose returns nothing: Dial makes the error messages.
func (r *pluginRunner) Diagnose(context.Context) string { return "" }

// PluginToHost refuses every address but a socket's: where the plugin listens
// is its own word.
func (r *pluginRunner) PluginToHost(network, addr string) (string, string, error) {
	if network != "unix" {
		return "", "", fmt.Errorf("the plugin listens on %q: want a unix socket", network)
	}
	return network, addr, nil
}

// HostToPlugin is not used: plugins do not call back.
func (r *pluginRunner) HostToPlugin(network, addr string) (string, string, error) {
	return network, addr, nil
}

// untilClosed is an empty stream that ends when the channel is closed.
type untilClosed <-chan struct{}

func (c untilClosed) Read([]byte) (int, error) {
	<-c
	return 0, io.EOF
}

func (c untilClosed) Close() error { return nil }
