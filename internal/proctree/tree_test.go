//go:build linux

package proctree

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
)

func TestMain(m *testing.M) { os.Exit(leakcheck.Main(m)) }

func TestTree(t *testing.T) {
	cmd := exec.Command("sh", "-c", `sleep 1000 & echo; read x; kill $!`)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer in.Close()
	bufio.NewReader(out).ReadString('\n')
	var text string
	tick := time.NewTicker(5 * time.Millisecond) // that a process has come to rest is no event
	defer tick.Stop()
	want := regexp.MustCompile(`(?s)^  \d+ sh  parent \d+, .*, sleeping, started \d.* ago
      sh -c "sleep 1000 & echo; read x; kill \$!"
      1 thread: S in read.*
    \d+ sleep  parent \d+.*
        sleep 1000
        1 thread: S in clock_nanosleep`)
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); <-tick.C {
		text = string(Take(t.Context(), cmd.Process.Pid).Append(nil))
		if want.MatchString(text) {
			return
		}
	}
	t.Errorf("got\n%s\nwant\n%s", text, want)
}

func TestTreeOfNobody(t *testing.T) {
	if text := string(Take(t.Context(), 4000000).Append(nil)); text != "  none\n" {
		t.Errorf("got %q", text)
	}
}

// TestReadingThatHangs: what the kernel does not give is left out, and does not
// hold up the rest.
func TestReadingThatHangs(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	list := []*Process{{Pid: 1}, {Pid: 2}, {Pid: 3}, {Pid: 4}}
	begin := time.Now()
	readAside(t.Context(), list, func(p Process) Process {
		if p.Pid == 2 {
			<-release
		}
		p.Command = "read"
		return p
	})
	if d := time.Since(begin); d > 3*time.Second {
		t.Errorf("it took %v", d)
	}
	for _, p := range list {
		if hung := p.Pid == 2; p.Unread != hung || (p.Command == "read") == hung {
			t.Errorf("process %d: %+v", p.Pid, p)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	readAside(ctx, list, func(p Process) Process { <-release; return p })
	if !list[0].Unread {
		t.Error("it waited although its time was over")
	}
}

func TestCommand(t *testing.T) {
	for in, want := range map[string]string{
		"":                                 "",
		"sh\x00-c\x00a b\x00":              `sh -c "a b"`,
		"x\x00\x00\x1b[31m\x00":            `x "" "\x1b[31m"`,
		strings.Repeat("y", 1000) + "\x00": strings.Repeat("y", maxCommand) + " …",
	} {
		if got := command([]byte(in)); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
