package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/linux"
)

// upTable writes a table and returns its path.
func upTable(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "services.toml")
	rewrite(t, path, text)
	return path
}

func rewrite(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// An upSession is a hatchery up that is running.
type upSession struct {
	*session
	unmatched []string // lines that were read and have not been waited for
}

// beginUp starts hatchery up. What it writes is all in s.out, and in s.stderr as far
// as it was read.
func beginUp(t *testing.T, path string) *upSession {
	t.Helper()
	s := &upSession{session: &session{t: t, cmd: hatchery(t, "up", path)}}
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	s.cmd.Stdout, s.cmd.Stderr, s.out = w, w, bufio.NewReader(r)
	err = s.cmd.Start()
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.cmd.Process.Kill(); s.cmd.Wait(); r.Close() })
	return s
}

// isOver reads the rest, and waits for the end.
func (s *upSession) isOver(code int) string {
	s.t.Helper()
	timer := time.AfterFunc(20*time.Second, func() { s.cmd.Process.Kill() })
	defer timer.Stop()
	io.Copy(&s.stderr, s.out)
	s.ends(code)
	return s.stderr.String()
}

// forever is a service that says its pid and goes on, whatever it is asked.
func forever(name, more string) string {
	return fmt.Sprintf("[service.%s]\ncommand = ['sh', '-c', '%[2]s echo %[1]s is $$; while :; do sleep 0.05; done']\n", name, more)
}

// pidOf waits until the service has said its pid.
func (s *upSession) pidOf(name string) int {
	s.t.Helper()
	pid, err := strconv.Atoi(s.until(regexp.QuoteMeta(name) + ` is (\d+)$`))
	if err != nil {
		s.t.Fatal(err)
	}
	return pid
}

// until waits for a line that matches, and returns its first group. Each line is
// there for one call.
func (s *upSession) until(expr string) string {
	s.t.Helper()
	timer := time.AfterFunc(20*time.Second, func() { s.cmd.Process.Kill() })
	defer timer.Stop()
	re := regexp.MustCompile(expr)
	for i, line := range s.unmatched {
		if m := re.FindStringSubmatch(line); m != nil {
			s.unmatched = slices.Delete(s.unmatched, i, i+1)
			return append(m, "")[1]
		}
	}
	for {
		line, err := s.out.ReadString('\n')
		s.stderr.WriteString(line)
		if m := re.FindStringSubmatch(strings.TrimSuffix(line, "\n")); m != nil {
			return append(m, "")[1]
		}
		s.unmatched = append(s.unmatched, strings.TrimSuffix(line, "\n"))
		if err != nil {
			s.t.Fatalf("no line matches %q: %v; stderr %s", expr, err, &s.stderr)
		}
	}
}

// gone waits for the end of processes that somebody else reaps.
func gone(t testing.TB, pids ...int) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	late := time.AfterFunc(10*time.Second, func() { w.Close() }) // which r hangs up at
	defer w.Close()
	defer late.Stop()
	for _, pid := range pids {
		pidfd, err := linux.PidfdOpen(pid)
		if errors.Is(err, syscall.ESRCH) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		exited, _, err := linux.PollExit(pidfd, int(r.Fd()))
		syscall.Close(pidfd)
		if !exited || err != nil {
			t.Fatalf("process %d is still there: %v", pid, err)
		}
	}
}

func TestUpSurvivesAKilledService(t *testing.T) {
	s := beginUp(t, upTable(t, forever("a", "sleep 77 & echo below is $!;")+"restart = {max = 2, min_delay = '10ms'}\n"+forever("b", "")+"after = ['a']\n"))
	first := s.pidOf("a")
	below := s.pidOf("below")
	b := s.pidOf("b")
	syscall.Kill(first, syscall.SIGKILL)
	second := s.pidOf("a")
	if second == first || alive(below) || !alive(b) {
		t.Errorf("a was %d and is %d; what it left is alive: %v; b is: %v", first, second, alive(below), alive(b))
	}
	s.signal(syscall.SIGTERM)
	text := s.isOver(128 + 15)
	gone(t, second, b)
	if !strings.Contains(text, "a: signal: killed: started again in ") || strings.Index(text, "b: stopped") > strings.Index(text, "a: stopped") {
		t.Errorf("%s", text)
	}
}

func TestUpEndsAtOnceBySecondSignal(t *testing.T) {
	s := beginUp(t, upTable(t, forever("a", `trap "echo asked" TERM;`)+"grace = '1m'\n"+forever("b", `trap "echo asked" TERM;`)+"grace = '1m'\nafter = ['a']\n"))
	a, b := s.pidOf("a"), s.pidOf("b")
	s.until("hatchery: b: up ") // else its start is given up
	s.signal(syscall.SIGINT)
	s.until("b +. asked")
	s.signal(syscall.SIGINT)
	s.isOver(128 + 2)
	gone(t, a, b)
}

func TestUpThatIsKilledLeavesNothing(t *testing.T) {
	s := beginUp(t, upTable(t, forever("a", `trap "" TERM HUP; sleep 77 & echo below is $!;`)))
	a := s.pidOf("a")
	below := s.pidOf("below")
	s.signal(syscall.SIGKILL)
	s.cmd.Wait()
	gone(t, a, below)
}

func TestUpReadsItsTableAgain(t *testing.T) {
	same, removed := forever("same", ""), forever("removed", "")
	path := upTable(t, same+removed+forever("changed", ""))
	s := beginUp(t, path)
	pids := map[string]int{}
	for range 3 {
		name, number, _ := strings.Cut(s.until(`\| (\w+ is \d+)$`), " is ")
		pid, err := strconv.Atoi(number)
		if err != nil {
			t.Fatal(err)
		}
		pids[name] = pid
	}
	rewrite(t, path, "\n"+same+forever("changed", "echo other;")+"[service.new]\ncommand = ['sh']\nafter = ['removed']\n")
	s.signal(syscall.SIGHUP)
	s.until(`services.toml:8: service "new": after: entry 1: there is no service "removed"`)
	s.until("nothing was changed")
	if !alive(pids["same"]) || !alive(pids["removed"]) || !alive(pids["changed"]) {
		t.Error("a wrong table has changed something")
	}
	rewrite(t, path, same+forever("changed", "echo other;")+forever("new", "")+"after = ['changed']\n")
	s.signal(syscall.SIGHUP)
	changed := s.pidOf("changed")
	added := s.pidOf("new")
	gone(t, pids["removed"], pids["changed"])
	if !alive(pids["same"]) || !alive(changed) || !alive(added) {
		t.Errorf("same %v, changed %v, new %v", alive(pids["same"]), alive(changed), alive(added))
	}
	s.signal(syscall.SIGINT)
	s.isOver(128 + 2)
	gone(t, pids["same"], changed, added)
}

// A service that floods is held up by whoever reads, loses nothing, and hides neither
// another nor the end.
func TestUpUnderAFlood(t *testing.T) {
	s := beginUp(t, upTable(t, "[service.flood]\ncommand = ['yes', 'no']\n"+forever("quiet", "")))
	flood, quiet := 0, s.pidOf("quiet")
	for range 30_000 {
		line, err := s.out.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(line, "flood") {
			if flood++; line != "flood | no\n" {
				t.Fatalf("%q", line)
			}
		}
	}
	if flood < 27_000 {
		t.Errorf("%d lines of 30000 are the flood's", flood)
	}
	s.signal(syscall.SIGINT)
	text := s.isOver(128 + 2)
	gone(t, quiet)
	for _, want := range []string{"hatchery: flood: stopped\n", "hatchery: quiet: stopped\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q", want)
		}
	}
}

// When nobody reads the output, a signal ends everything nevertheless.
func TestUpWhoseOutputIsNotRead(t *testing.T) {
	s := beginUp(t, upTable(t, forever("quiet", "")+"[service.flood]\ncommand = ['yes']\nafter = ['quiet']\n"))
	quiet := s.pidOf("quiet")
	s.until("flood +. y")
	s.signal(syscall.SIGTERM)
	s.ends(128 + 15)
	gone(t, quiet)
}

// When whoever reads the output has gone, everything is stopped.
func TestUpWhoseReaderHasGone(t *testing.T) {
	s := &session{t: t, cmd: hatchery(t, "up", upTable(t, forever("quiet", "")+"[service.talker]\ncommand = ['sh', '-c', 'while echo on; do sleep 0.02; done']\nafter = ['quiet']\n"))}
	s.cmd.Stderr = &s.stderr
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.cmd.Process.Kill(); s.cmd.Wait() })
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	out.Close()
	s.ends(codeFailed)
	if !strings.Contains(s.stderr.String(), "broken pipe") {
		t.Errorf("stderr: %s", &s.stderr)
	}
}

// A table that is no file is refused at once, and no signal is lost to it.
func TestUpWithAPipeForATable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if text := beginUp(t, path).isOver(codeFailed); !strings.Contains(text, "it is no regular file") {
		t.Error(text)
	}
}

func TestUpOnATerminal(t *testing.T) {
	cmd := hatchery(t, "up", upTable(t, forever("a", "")+forever("b", "")))
	cmd.Env = append(cmd.Env, "TERM=xterm")
	term := start(t, cmd)
	term.sees("a up · b up")
	term.types(ctrlC)
	term.sees("stopped")
	term.ends(128 + 2)
	term.isAsBefore()
}
