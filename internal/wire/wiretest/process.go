//go:build unix

package wiretest

import (
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

// A Process is a plugin process. It is a wire.Process.
type Process struct {
	cmd            *exec.Cmd
	done           chan struct{}
	stdout, stderr *tail

	mu   sync.Mutex
	lane int // the host's end; -1 once it was taken
}

var _ wire.Process = (*Process)(nil)

func (p *Process) wait() {
	p.cmd.Wait() // the status stays in ProcessState
	p.stdout.end(50 * time.Millisecond)
	p.stderr.end(50 * time.Millisecond)
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
	<-p.done
	p.stdout.close()
	p.stderr.close()
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
func (p *Process) Diagnose() error {
	var parts []string
	if st := p.State(); st != nil {
		parts = append(parts, st.String())
	}
	if words := strings.TrimSpace(p.Stderr()); words != "" {
		lines := strings.Split(words, "\n")
		parts = append(parts, fmt.Sprintf("it said %q", lines[:min(2, len(lines))]))
	}
	return errors.New(strings.Join(parts, "; "))
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

// Stdout returns what the process wrote to its descriptor 1, the last 64 KiB.
func (p *Process) Stdout() string { return p.stdout.String() }

// Stderr returns what the process wrote to its descriptor 2, the last 64 KiB.
func (p *Process) Stderr() string { return p.stderr.String() }

// WaitStderr waits until the process has written text to its descriptor 2, for
// limit at most, and reports whether it has.
func (p *Process) WaitStderr(text string, limit time.Duration) bool {
	return p.stderr.wait(text, limit)
}

// BreakOutput makes the pipes behind the process's descriptors 1 and 2 broken
// ones.
func (p *Process) BreakOutput() {
	p.stdout.close()
	p.stderr.close()
}

// Signal sends sig to the process.
func (p *Process) Signal(sig syscall.Signal) error { return p.cmd.Process.Signal(sig) }
