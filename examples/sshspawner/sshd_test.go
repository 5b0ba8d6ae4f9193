//go:build linux

package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// An sshd is a server of a test's own, on the loopback interface, with keys that
// were made for it. It serves the user who runs the test.
type sshd struct {
	dir  string
	port int
	cmd  *exec.Cmd
	log  *watched
}

// startSSHD starts one that ends with the test. Where there is none, or the user
// cannot log in, the test is skipped. Lines are more of its configuration.
func startSSHD(t *testing.T, lines ...string) *sshd {
	t.Helper()
	binary := program(t, "sshd")
	program(t, "ssh")
	program(t, "perl")
	who, err := user.Current()
	if err != nil {
		t.Skipf("who runs this is not known to the system, and could not log in: %v", err)
	}
	if shell := loginShell(t, who.Username); shell == "" {
		t.Skipf("%s has no login shell, and cannot log in", who.Username)
	}
	s := &sshd{dir: t.TempDir(), log: newWatched()}
	for _, name := range []string{"host", "user"} {
		run(t, program(t, "ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", s.path(name))
	}
	write(t, s.path("authorized_keys"), read(t, s.path("user.pub")))
	if os.Geteuid() == 0 { // where Debian's sshd goes before it knows who is there
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			t.Skipf("sshd needs /run/sshd: %v", err)
		}
	}
	for tries := 0; ; tries++ {
		s.port = freePort(t)
		if s.start(t, binary, lines) {
			break
		}
		if tries == 3 {
			t.Fatalf("sshd does not start: %s", s.log)
		}
	}
	write(t, s.path("known_hosts"), fmt.Sprintf("[127.0.0.1]:%d %s", s.port, read(t, s.path("host.pub"))))
	return s
}

// start reports whether it came up: another may have taken the port.
func (s *sshd) start(t *testing.T, binary string, lines []string) bool {
	config := []string{
		"ListenAddress 127.0.0.1", fmt.Sprint("Port ", s.port), "HostKey " + s.path("host"), "PidFile none",
		"AuthorizedKeysFile " + s.path("authorized_keys"), "StrictModes no", "UsePAM no", "PermitRootLogin yes",
		"PasswordAuthentication no", "KbdInteractiveAuthentication no", "UseDNS no", "PrintMotd no", "MaxStartups 100",
		"SetEnv HOME=" + s.dir, // not what the login shell of somebody does
	}
	write(t, s.path("sshd_config"), strings.Join(append(config, lines...), "\n")+"\n")
	s.cmd = exec.Command(binary, "-D", "-e", "-f", s.path("sshd_config"))
	s.cmd.Stderr, s.cmd.WaitDelay = s.log, time.Second
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	go func() { // waited for below, or by the cleanup
		s.cmd.Wait()
		s.log.end()
		close(over)
	}()
	if !s.log.waitFor("Server listening on 127.0.0.1") {
		s.cmd.Process.Kill()
		<-over
		return false
	}
	t.Cleanup(func() {
		for _, pid := range below(s.cmd.Process.Pid) {
			syscall.Kill(pid, syscall.SIGKILL)
		}
		s.cmd.Process.Kill()
		<-over
	})
	return true
}

func (s *sshd) path(name string) string { return filepath.Join(s.dir, name) }

// options are those of a Spec whose child is to run there.
func (s *sshd) options() []spawn.Option {
	return []spawn.Option{
		{Key: "host", Value: "127.0.0.1"}, {Key: "port", Value: strconv.Itoa(s.port)}, {Key: "config", Value: "none"},
		{Key: "identity", Value: s.path("user")}, {Key: "known_hosts", Value: s.path("known_hosts")},
	}
}

// connections returns the processes of sshd that serve a connection: its children.
func (s *sshd) connections() (pids []int) {
	for pid, parent := range parents() {
		if parent == s.cmd.Process.Pid {
			pids = append(pids, pid)
		}
	}
	return pids
}

// program returns the path of a program, or skips the test.
func program(t *testing.T, name string) string {
	t.Helper()
	for _, path := range []string{name, "/usr/sbin/" + name} {
		if path, err := exec.LookPath(path); err == nil {
			return path
		}
	}
	t.Skipf("there is no %s: install openssh-server, openssh-client and perl", name)
	return ""
}

// loginShell returns the shell of a user who has one.
func loginShell(t *testing.T, name string) string {
	t.Helper()
	for line := range strings.Lines(read(t, "/etc/passwd")) {
		f := strings.Split(strings.TrimSpace(line), ":")
		if len(f) == 7 && f[0] == name {
			if base := filepath.Base(f[6]); base == "nologin" || base == "false" {
				return ""
			}
			return f[6]
		}
	}
	return ""
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A watched is what a program has said, for those who wait for a word.
type watched struct {
	mu   sync.Mutex
	more *sync.Cond
	text bytes.Buffer
	over bool
}

func newWatched() *watched {
	w := new(watched)
	w.more = sync.NewCond(&w.mu)
	return w
}

func (w *watched) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.more.Broadcast()
	return w.text.Write(b)
}

func (w *watched) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	w.more.Broadcast()
}

// waitFor waits for a word, or for the end.
func (w *watched) waitFor(word string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for !strings.Contains(w.text.String(), word) {
		if w.over {
			w.over = false
			return false
		}
		w.more.Wait()
	}
	return true
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// parents returns the parent of every process.
func parents() map[int]int {
	all := map[int]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		b, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
		if len(f) > 1 && f[0] != "Z" {
			all[pid], _ = strconv.Atoi(f[1])
		}
	}
	return all
}

// below returns what is below a process.
func below(root int) (pids []int) {
	parent := parents()
	for pid := range parent {
		for p := parent[pid]; p > 0; p = parent[p] {
			if p == root {
				pids = append(pids, pid)
				break
			}
		}
	}
	return pids
}
