//go:build linux

package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// fifo returns the reading end of a new named pipe. It ends when everything that
// has opened the other end there is gone.
func (s *sshd) fifo(t *testing.T) *os.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "alive")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// gone waits until a named pipe, which was opened there, has ended.
func gone(t *testing.T, fifo *os.File, what string) {
	t.Helper()
	fifo.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.ReadAll(fifo); err != nil {
		t.Errorf("%s: %v later it is still there", what, patience)
	}
}

// family starts a child with a stubborn child of its own, and one that has become
// a daemon: of another session, and without a parent. All have the fifo open.
func (s *sshd) family(t *testing.T, h *host.Host, options ...spawn.Option) (*host.Process, *os.File) {
	t.Helper()
	alive := s.fifo(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	spec := s.spec(`exec 9>"$1"; (trap '' TERM; while :; do sleep 60; done) >/dev/null 2>&1 &
		setsid sh -c 'sh -c "trap : TERM; while :; do sleep 60; done" >/dev/null 2>&1 & sleep 0' ; echo up; while :; do sleep 60; done`, alive.Name())
	spec.Options = append(spec.Options, options...)
	spec.Files = []*os.File{nil, w}
	p := start(t, h, spec)
	w.Close()
	r.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.ReadFull(r, make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
	return p, alive
}

func TestKill(t *testing.T) {
	t.Parallel()
	s, h := startSSHD(t), openHost(t)
	p, alive := s.family(t, h)
	if err := p.Kill(); err != nil {
		t.Error(err)
	}
	if st := await(t, p); st.Signal != syscall.SIGKILL || st.Source != spawn.FromBackend {
		t.Errorf("%+v", st)
	}
	gone(t, alive, "what was below a child that was killed")
	if err := p.Signal(syscall.SIGTERM); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("a signal for who has ended: %v", err)
	}
}

// What is stopped by SIGTERM takes along what it leaves.
func TestStop(t *testing.T) {
	t.Parallel()
	s, h := startSSHD(t), openHost(t)
	p, alive := s.family(t, h)
	st, err := p.Stop(t.Context())
	if err != nil || st.Signal != syscall.SIGTERM {
		t.Errorf("%+v, %v", st, err)
	}
	gone(t, alive, "what was below a child that was stopped")
}

func TestHostClosed(t *testing.T) {
	t.Parallel()
	s, h := startSSHD(t), openHost(t)
	p, alive := s.family(t, h)
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	await(t, p)
	gone(t, alive, "what was below a child of a closed host")
}

// However the connection ends: the child is lost, with the reason, and nothing of it
// stays there, though nobody could tell it to end.
func TestLost(t *testing.T) {
	for name, how := range map[string]func(*testing.T, *sshd){
		"sshd of the connection killed": func(t *testing.T, s *sshd) { signalAll(t, s.connections(), syscall.SIGKILL) },
		"all of sshd killed": func(t *testing.T, s *sshd) {
			signalAll(t, append(servers(s), s.cmd.Process.Pid), syscall.SIGKILL)
		},
		"ssh killed":    func(t *testing.T, s *sshd) { signalAll(t, s.clients(), syscall.SIGKILL) },
		"plugin killed": func(t *testing.T, s *sshd) { signalAll(t, s.plugins(), syscall.SIGKILL) },
		"line cut":      func(t *testing.T, s *sshd) { signalAll(t, servers(s), syscall.SIGSTOP) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, h := startSSHD(t), openHost(t)
			p, alive := s.family(t, h, spawn.Option{Key: "alive", Value: "1"})
			how(t, s)
			st := await(t, p)
			if st.Source != spawn.Lost || st.Code != -1 || st.Signal != 0 || st.Reason == "" {
				t.Errorf("%+v, want lost, with the reason", st)
			}
			gone(t, alive, "what ran there")
			if name != "ssh killed" {
				return
			}
			if st := await(t, start(t, h, s.spec("exit 1"))); st.Code != 1 {
				t.Errorf("the next child: %+v", st)
			}
		})
	}
}

func signalAll(t *testing.T, pids []int, sig syscall.Signal) {
	t.Helper()
	if len(pids) == 0 {
		t.Fatal("there is nobody to be sent a signal")
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, sig); err != nil {
			t.Error(err)
		}
	}
}

// servers are the processes of sshd that serve connections: not what it has started
// for them.
func servers(s *sshd) []int {
	return slices.DeleteFunc(below(s.cmd.Process.Pid), func(pid int) bool { return !strings.HasPrefix(comm(pid), "sshd") })
}

// clients are the processes of ssh that are connected to it.
func (s *sshd) clients() []int {
	return slices.DeleteFunc(below(os.Getpid()), func(pid int) bool {
		args, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
		return comm(pid) != "ssh" || !slices.Contains(strings.Split(string(args), "\x00"), strconv.Itoa(s.port))
	})
}

// plugins are the parents of clients.
func (s *sshd) plugins() (pids []int) {
	parent := parents()
	for _, pid := range s.clients() {
		pids = append(pids, parent[pid])
	}
	return pids
}

func comm(pid int) string {
	b, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "comm"))
	return strings.TrimSpace(string(b))
}
