//go:build unix

package wiretest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/lane"
	"github.com/hatchery-spawn/hatchery/internal/wire"
)

// A Launcher starts a program as a plugin, any number of times.
type Launcher struct {
	// Extra are descriptors that the plugin inherits from 5 on, as by
	// accident. They stay the test's.
	Extra []*os.File

	t    testing.TB
	path string
	argv []string

	mu   sync.Mutex
	last *Process
}

// New returns a launcher of the program at path.
func New(t testing.TB, path string, argv ...string) *Launcher {
	return &Launcher{t: t, path: path, argv: argv}
}

// SocketDir returns a folder for control sockets, of a path that is short
// enough, which is removed at the end of the test.
func SocketDir(t testing.TB) string {
	dir, err := os.MkdirTemp("", "w")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// Start is for wire.ClientConfig.
func (l *Launcher) Start(_ context.Context, env []string, handshake *os.File) (wire.Process, error) {
	host, plugin, err := lane.Pair()
	if err != nil {
		return nil, err
	}
	laneEnd := os.NewFile(uintptr(plugin), "lane")
	defer laneEnd.Close()
	read, write, err := os.Pipe()
	if err != nil {
		syscall.Close(host)
		return nil, err
	}
	defer write.Close()
	cmd := &exec.Cmd{
		Path: l.path, Args: l.argv,
		Env: append([]string{"PATH=" + os.Getenv("PATH"), "HOME=/", "TMPDIR=" + os.TempDir()}, env...), Dir: "/",
		Stdout: write, Stderr: write,
		ExtraFiles:  append([]*os.File{handshake, laneEnd}, l.Extra...),
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true},
	}
	if err := cmd.Start(); err != nil {
		syscall.Close(host)
		read.Close()
		return nil, err
	}
	p := &Process{cmd: cmd, done: make(chan struct{}), drained: make(chan struct{}), output: read, lane: host, grown: make(chan struct{})}
	p.wg.Add(2)
	go p.drain()
	go p.wait()
	l.mu.Lock()
	l.last = p
	l.mu.Unlock()
	l.t.Cleanup(p.Release)
	return p, nil
}

// Last returns the process that was started last, or nil.
func (l *Launcher) Last() *Process {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}

// A Process is a plugin process. It is a wire.Process.
type Process struct {
	cmd     *exec.Cmd
	done    chan struct{}
	drained chan struct{}
	output  *os.File
	wg      sync.WaitGroup

	mu    sync.Mutex
	text  []byte
	grown chan struct{} // closed, and replaced, when text has
	lane  int           // the host's end; -1 once it was taken
}

var _ wire.Process = (*Process)(nil)

// keep is how much of a plugin's output is kept, in bytes.
const keep = 64 << 10

func (p *Process) drain() {
	defer p.wg.Done()
	defer close(p.drained)
	buf := make([]byte, 4096)
	for {
		n, err := p.output.Read(buf)
		p.mu.Lock()
		p.text = append(p.text, buf[:n]...)
		p.text = p.text[max(0, len(p.text)-keep):]
		close(p.grown)
		p.grown = make(chan struct{})
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (p *Process) wait() {
	defer p.wg.Done()
	p.cmd.Wait() // the status stays in ProcessState
	// A descendant may hold the pipe open.
	p.output.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	<-p.drained
	close(p.done)
}

// Release kills the process and waits for it, and closes what the test holds
// of it. The end of the test does it too.
func (p *Process) Release() {
	select {
	case <-p.done: // its number may be another's by now
	default:
		p.Kill()
	}
	p.wg.Wait()
	p.output.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lane >= 0 {
		syscall.Close(p.lane)
		p.lane = -1
	}
}

// Lane returns the host's end of the plan lane, which the caller closes. It
// can be taken once.
func (p *Process) Lane(t testing.TB) *lane.Conn {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	conn, err := lane.Open(p.lane, lane.Polled)
	if err != nil {
		t.Fatal(err)
	}
	p.lane = -1
	return conn
}

// Pid is part of wire.Process.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Done is part of wire.Process.
func (p *Process) Done() <-chan struct{} { return p.done }

// Kill is part of wire.Process.
func (p *Process) Kill() error {
	err := syscall.Kill(-p.Pid(), syscall.SIGKILL)
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}

// Diagnose is part of wire.Process.
func (p *Process) Diagnose() string {
	var parts []string
	select {
	case <-p.done:
		parts = append(parts, p.cmd.ProcessState.String())
	default:
	}
	out := strings.TrimSpace(p.Output())
	if lines := strings.Split(out, "\n"); out != "" {
		parts = append(parts, fmt.Sprintf("its last words: %q", lines[:min(2, len(lines))]))
	}
	return strings.Join(parts, "; ")
}

// Output returns what the process wrote to its descriptors 1 and 2, the last
// 64 KiB of it.
func (p *Process) Output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return string(p.text)
}

// WaitOutput waits until the process has written text, for limit at most, and
// reports whether it has.
func (p *Process) WaitOutput(text string, limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		p.mu.Lock()
		found, grown := strings.Contains(string(p.text), text), p.grown
		p.mu.Unlock()
		if found {
			return true
		}
		select {
		case <-grown:
		case <-timer.C:
			return false
		}
	}
}

// BreakOutput makes the pipe behind the process's descriptors 1 and 2 a broken
// one.
func (p *Process) BreakOutput() {
	p.output.Close()
	<-p.drained
}

// State returns how the process ended; nil until Done is closed.
func (p *Process) State() *os.ProcessState {
	select {
	case <-p.done:
		return p.cmd.ProcessState
	default:
		return nil
	}
}

// Signal sends sig to the process.
func (p *Process) Signal(sig syscall.Signal) error { return p.cmd.Process.Signal(sig) }
