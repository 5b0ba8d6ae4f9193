//go:build unix

package wiretest

import (
	"context"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"

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
	p := &Process{done: make(chan struct{}), lane: host}
	stdout, w1, err := newTail()
	if err != nil {
		syscall.Close(host)
		return nil, err
	}
	defer w1.Close()
	stderr, w2, err := newTail()
	if err != nil {
		syscall.Close(host)
		stdout.file.Close()
		return nil, err
	}
	defer w2.Close()
	p.stdout, p.stderr = stdout, stderr
	p.cmd = &exec.Cmd{
		Path: l.path, Args: l.argv,
		Env: append([]string{"PATH=" + os.Getenv("PATH"), "HOME=/", "TMPDIR=" + os.TempDir()}, env...), Dir: "/",
		Stdout: w1, Stderr: w2,
		ExtraFiles:  append([]*os.File{handshake, laneEnd}, l.Extra...),
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true},
	}
	if err := p.cmd.Start(); err != nil {
		syscall.Close(host)
		stdout.file.Close()
		stderr.file.Close()
		return nil, err
	}
	go p.wait() // waited for through done
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
