//go:build unix

package main

import (
	"bufio"
	"bytes"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/linux"
)

// A session is a hatchery that is running without a terminal.
type session struct {
	t      *testing.T
	cmd    *exec.Cmd
	out    *bufio.Reader
	stderr bytes.Buffer
}

// begin starts hatchery with the arguments, in a session of its own.
func begin(t *testing.T, args ...string) *session {
	t.Helper()
	s := &session{t: t, cmd: hatchery(t, args...)}
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	s.cmd.Stderr = &s.stderr
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.out = bufio.NewReader(out)
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.cmd.Process.Kill(); s.cmd.Wait() })
	return s
}

// hears waits for a line of the child's.
func (s *session) hears(want string) string {
	s.t.Helper()
	timer := time.AfterFunc(20*time.Second, func() { s.cmd.Process.Kill() })
	defer timer.Stop()
	line, err := s.out.ReadString('\n')
	line = strings.TrimSuffix(line, "\n")
	if err != nil || !strings.HasPrefix(line, want) {
		s.t.Fatalf("the child says %q (%v), want %q; stderr %s", line, err, want, &s.stderr)
	}
	return strings.TrimSpace(strings.TrimPrefix(line, want))
}

func (s *session) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

// ends waits for the end of hatchery, which must have the exit code.
func (s *session) ends(code int) (after time.Duration) {
	s.t.Helper()
	begun := time.Now()
	timer := time.AfterFunc(20*time.Second, func() { s.cmd.Process.Kill() })
	defer timer.Stop()
	s.cmd.Wait()
	if got := s.cmd.ProcessState.ExitCode(); got != code {
		s.t.Fatalf("%v, want exit code %d; stderr %s", s.cmd.ProcessState, code, &s.stderr)
	}
	return time.Since(begun)
}

// loop is a shell script that goes on until a trap ends it.
const loop = `; echo ready; while :; do sleep 0.02; done`

func TestFirstSignalIsForwarded(t *testing.T) {
	for name, sig := range map[string]syscall.Signal{
		"TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP, "INT": syscall.SIGINT, "QUIT": syscall.SIGQUIT,
	} {
		s := begin(t, "run", "--", "sh", "-c", `trap "echo got `+name+`; exit 9" `+name+loop)
		s.hears("ready")
		s.signal(sig)
		s.hears("got " + name)
		if took := s.ends(9); took > 2*time.Second {
			t.Errorf("%s: the end took %v", name, took)
		}
	}
}

func TestForwardedSignalEndsTheChild(t *testing.T) {
	s := begin(t, "run", "--", "sh", "-c", "echo ready; exec sleep 60")
	s.hears("ready")
	s.signal(syscall.SIGTERM)
	s.ends(128 + 15)
	if s.stderr.Len() > 0 {
		t.Errorf("stderr: %s", &s.stderr)
	}
}

func TestGraceEndsInSIGKILL(t *testing.T) {
	s := begin(t, "run", "--grace", "400ms", "--", "sh", "-c", `trap "echo got" TERM; sleep 60 & echo $!`+loop)
	below, err := strconv.Atoi(s.hears(""))
	if err != nil {
		t.Fatal(err)
	}
	s.hears("ready")
	s.signal(syscall.SIGTERM)
	s.hears("got")
	if took := s.ends(128 + 9); took < 300*time.Millisecond || took > 2*time.Second {
		t.Errorf("the end took %v, with a grace of 400ms", took)
	}
	if alive(below) {
		t.Error("its child is still there")
	}
}

func TestSecondSignalKills(t *testing.T) {
	s := begin(t, "run", "--grace", "1m", "--", "sh", "-c", `trap "echo got" TERM`+loop)
	s.hears("ready")
	s.signal(syscall.SIGTERM)
	s.hears("got")
	s.signal(syscall.SIGINT)
	if took := s.ends(128 + 9); took > 2*time.Second {
		t.Errorf("the end took %v", took)
	}
}

func TestSecondSignalKillsAfterTheTimeout(t *testing.T) {
	s := begin(t, "run", "--timeout", "200ms", "--grace", "1m", "--", "sh", "-c", `trap "echo got" TERM`+loop)
	s.hears("ready")
	s.hears("got")
	s.signal(syscall.SIGTERM)
	s.ends(124)
}

// A child that is stopped is woken to hear that it should end.
func TestStoppedChild(t *testing.T) {
	s := begin(t, "run", "--timeout", "200ms", "--grace", "15s", "--", "sh", "-c", "kill -STOP $$")
	if took := s.ends(124); took > 10*time.Second {
		t.Errorf("the end took %v", took)
	}
	if !strings.Contains(s.stderr.String(), "signal: terminated") {
		t.Errorf("stderr %q", &s.stderr)
	}
}

func TestUserSignalsArePassedOn(t *testing.T) {
	s := begin(t, "run", "--grace", "100ms", "--", "sh", "-c", `trap "echo one" USR1; trap "echo two; exit 5" USR2`+loop)
	s.hears("ready")
	for range 3 {
		s.signal(syscall.SIGUSR1)
		s.hears("one")
	}
	s.signal(syscall.SIGUSR2)
	s.hears("two")
	s.ends(5)
}

func TestSignalBeforeTheChildIsThere(t *testing.T) {
	dir := t.TempDir()
	script := "#!/bin/sh\necho > " + dir + "/up\nexec sleep 60\n"
	write(t, filepath.Join(dir, "spawn-backend-hang"), script, 0o755)
	s := begin(t, "run", "--backend-dir", dir, "--spawn-backend", "hang", "--", "true")
	appears(t, filepath.Join(dir, "up"))
	s.signal(syscall.SIGTERM)
	if took := s.ends(128 + 15); took > 3*time.Second {
		t.Errorf("the end took %v", took)
	}
	if want := "hatchery: given up by a signal (terminated) before the child was started\n"; s.stderr.String() != want {
		t.Errorf("stderr %q, want %q", &s.stderr, want)
	}
}

func TestIgnoredHangUpStaysIgnored(t *testing.T) {
	s := &session{t: t}
	cmd := hatchery(t)
	path := cmd.Path
	cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", `trap "" HUP; exec "$0" run -- sh -c "echo ready; read x; exit 6"`, path}
	s.cmd = cmd
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.out = bufio.NewReader(out)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.hears("ready")
	s.signal(syscall.SIGHUP)
	in.Write([]byte("go on\n"))
	s.ends(6)
}

// Whatever state the command is killed in, nothing of it is left.
func TestKilledCommandLeavesNothing(t *testing.T) {
	const script = `trap "" TERM; setsid sh -c '(trap "" TERM HUP; echo daemon $$; exec sleep 60) & ' & echo child $$; exec sleep 60`
	s := begin(t, "run", "--", "sh", "-c", script)
	var pids []int
	for range 2 {
		line := strings.Fields(s.hears(""))
		pid, err := strconv.Atoi(line[1])
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	pids = append(pids, linux.Children(s.cmd.Process.Pid)...) // the keeper
	if len(pids) < 3 {
		t.Fatal("there is no keeper")
	}
	s.signal(syscall.SIGKILL)
	s.ends(-1)
	begun := time.Now()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for _, pid := range pids {
		for alive(pid) { // no child of this process: there is no event
			if <-tick.C; time.Since(begun) > 2*time.Second {
				t.Fatalf("process %d is still there", pid)
			}
		}
	}
}

// When the keeper dies the child goes with it, and nobody invents how it ended.
func TestKeeperKilled(t *testing.T) {
	s := begin(t, "run", "--", "sh", "-c", `echo $$; exec sleep 60`)
	child, err := strconv.Atoi(s.hears(""))
	if err != nil {
		t.Fatal(err)
	}
	keepers := linux.Children(s.cmd.Process.Pid)
	if len(keepers) != 1 {
		t.Fatalf("children of hatchery: %v, want the keeper", keepers)
	}
	syscall.Kill(keepers[0], syscall.SIGKILL)
	if took := s.ends(125); took > 3*time.Second {
		t.Errorf("the end took %v", took)
	}
	// Which of the two depends on whether hatchery had heard of the child.
	if text := s.stderr.String(); !strings.Contains(text, "exit status lost") && !strings.Contains(text, "keeper gone") {
		t.Errorf("stderr %q", &s.stderr)
	}
	if alive(child) {
		t.Error("the child is still there")
	}
}

func alive(pid int) bool {
	st, err := linux.ReadStat(pid)
	return err == nil && st.State != 'Z' && st.State != 'X'
}
