//go:build linux

package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/creack/pty"
)

// A terminal is a pty whose session is led by the command, and what it shows.
type terminal struct {
	t    *testing.T
	cmd  *exec.Cmd
	ptmx *os.File
	read chan struct{} // closed at the end of the output

	mu    sync.Mutex
	shown bytes.Buffer
	more  chan struct{} // capacity 1: there is more
	seen  int           // how far sees has looked
}

// onTerminal starts hatchery on a terminal of its own.
func onTerminal(t *testing.T, args ...string) *terminal {
	t.Helper()
	cmd := hatchery(t, args...)
	cmd.Env = append(cmd.Env, "PS1=prompt> ", "TERM=dumb")
	return start(t, cmd)
}

func start(t *testing.T, cmd *exec.Cmd) *terminal {
	t.Helper()
	term := &terminal{t: t, cmd: cmd, read: make(chan struct{}), more: make(chan struct{}, 1)}
	ptmx, err := pty.Start(term.cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer ptmx.Close()
	// Package pty has made it a blocking file, which cannot be closed while it
	// is read.
	fd, err := syscall.Dup(int(ptmx.Fd()))
	if err == nil {
		err = syscall.SetNonblock(fd, true)
	}
	if err != nil {
		t.Fatal(err)
	}
	syscall.CloseOnExec(fd)
	term.ptmx = os.NewFile(uintptr(fd), "ptmx")
	go term.collect()
	t.Cleanup(func() {
		term.cmd.Process.Kill()
		term.cmd.Wait()
		term.ptmx.Close()
		<-term.read
	})
	return term
}

func (term *terminal) collect() {
	defer close(term.read)
	buf := make([]byte, 4096)
	for {
		n, err := term.ptmx.Read(buf)
		if errors.Is(err, syscall.EIO) { // see host.Terminal.Read
			n, err = term.ptmx.Read(buf)
		}
		term.mu.Lock()
		term.shown.Write(buf[:n])
		term.mu.Unlock()
		select {
		case term.more <- struct{}{}:
		default:
		}
		if err != nil {
			return // EIO once nobody has the slave open
		}
	}
}

// sees waits until the terminal shows text that it has not shown before.
func (term *terminal) sees(text string) {
	term.t.Helper()
	term.shows(text, func() {})
}

// presses presses a key until the terminal shows text, as a person would:
// Python does not notice a signal that comes just before it begins to wait.
func (term *terminal) presses(key, text string) {
	term.t.Helper()
	term.types(key)
	term.shows(text, func() { term.types(key) })
}

// shows waits for text, and calls again now and then.
func (term *terminal) shows(text string, again func()) {
	term.t.Helper()
	timer := time.NewTimer(20 * time.Second)
	defer timer.Stop()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		term.mu.Lock()
		fresh := term.shown.String()[term.seen:]
		at := strings.Index(fresh, text)
		if at >= 0 {
			term.seen += at + len(text)
		}
		term.mu.Unlock()
		if at >= 0 {
			return
		}
		select {
		case <-term.more:
		case <-tick.C:
			again()
		case <-timer.C:
			term.t.Fatalf("the terminal shows %q, want %q", fresh, text)
		}
	}
}

// resize gives the terminal another size.
func (term *terminal) resize(rows, columns uint16) {
	term.t.Helper()
	if err := pty.Setsize(term.ptmx, &pty.Winsize{Rows: rows, Cols: columns}); err != nil {
		term.t.Fatal(err)
	}
}

// mode returns the mode the terminal is in.
func (term *terminal) mode() (mode syscall.Termios) {
	term.t.Helper()
	raw, err := term.ptmx.SyscallConn()
	if err == nil {
		raw.Control(func(fd uintptr) {
			if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, fd, syscall.TCGETS, uintptr(unsafe.Pointer(&mode))); errno != 0 {
				err = errno
			}
		})
	}
	if err != nil {
		term.t.Fatal(err)
	}
	return mode
}

// isAsBefore checks that the mode is that of a new terminal.
func (term *terminal) isAsBefore() {
	term.t.Helper()
	ptmx, tty, err := pty.Open()
	if err != nil {
		term.t.Fatal(err)
	}
	defer ptmx.Close()
	defer tty.Close()
	if got, want := term.mode(), (&terminal{t: term.t, ptmx: ptmx}).mode(); got != want {
		term.t.Errorf("the terminal has the mode %+v, it had %+v", got, want)
	}
}

func (term *terminal) types(text string) {
	term.t.Helper()
	if _, err := term.ptmx.WriteString(text); err != nil {
		term.t.Fatal(err)
	}
}

func (term *terminal) ends(code int) {
	term.t.Helper()
	timer := time.AfterFunc(10*time.Second, func() { term.cmd.Process.Kill() })
	defer timer.Stop()
	term.cmd.Wait()
	if got := term.cmd.ProcessState.ExitCode(); got != code {
		term.t.Fatalf("%v, want exit code %d; the terminal shows %q", term.cmd.ProcessState, code, &term.shown)
	}
}

const (
	ctrlC         = "\x03"
	ctrlD         = "\x04"
	ctrlZ         = "\x1a"
	ctrlBackslash = "\x1c"
)

// A child in the foreground takes Ctrl-C itself, as often as it comes.
func TestTerminalSignalsAreTheChilds(t *testing.T) {
	term := onTerminal(t, "run", "--grace", "100ms", "--", "sh", "-c",
		`n=0; trap 'n=$((n+1)); echo "int $n."' INT; trap 'echo quit $n; exit 7' QUIT; echo ready; while :; do sleep 0.02; done`)
	term.sees("ready")
	for _, want := range []string{"int 1.", "int 2.", "int 3.", "int 4.", "int 5.", "int 6.", "int 7.", "int 8.", "int 9.", "int 10."} {
		term.types(ctrlC)
		term.sees(want)
	}
	term.types(ctrlBackslash)
	term.sees("quit 10")
	term.ends(7)
}

func TestTerminalSignalThatTheChildDoesNotCatch(t *testing.T) {
	term := onTerminal(t, "run", "--", "sh", "-c", "echo ready; exec sleep 60")
	term.sees("ready")
	term.types(ctrlC)
	term.ends(128 + 2)
}

// A child that left the group does not hear the terminal: then it is hatchery
// that passes Ctrl-C on.
func TestTerminalSignalForAChildOfItsOwnSession(t *testing.T) {
	if _, err := exec.LookPath("setsid"); err != nil {
		t.Skip("no setsid")
	}
	term := onTerminal(t, "run", "--", "setsid", "sh", "-c", `trap 'echo got; exit 8' INT; echo ready; while :; do sleep 0.02; done`)
	term.sees("ready")
	term.types(ctrlC)
	term.sees("got")
	term.ends(8)
}

// SIGTERM is forwarded on a terminal too.
func TestTerminationOnATerminal(t *testing.T) {
	term := onTerminal(t, "run", "--", "sh", "-c", `trap : INT; trap 'echo got; exit 9' TERM; echo ready; while :; do sleep 0.02; done`)
	term.sees("ready")
	// As if it came from the keyboard, and so not counted: SIGTERM is the first.
	term.cmd.Process.Signal(os.Interrupt)
	term.cmd.Process.Signal(syscall.SIGTERM)
	term.sees("got")
	term.ends(9)
}

// jobLine is a program of job_test.go, as a line for a shell.
const jobLine = "a-job\n"

// A shell has job control, though hatchery leads the session.
func TestShellOnATerminal(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash")
	}
	term := onTerminal(t, "run", "--", bash, "--norc", "--noprofile", "-i")
	term.sees("prompt> ")
	term.types(jobLine)
	term.sees("job: up")
	term.types(ctrlZ)
	term.sees("Stopped")
	term.sees("prompt> ")
	term.types("echo still h''ere; fg\n")
	term.sees("still here")
	term.sees("job: woken")
	term.types(ctrlC)
	term.sees("got")
	term.sees("prompt> ")
	term.types("sleep 60 &\n")
	term.sees("prompt> ")
	term.types(jobLine)
	term.sees("job: up")
	term.types(ctrlC)
	term.sees("got")
	term.sees("prompt> ")
	term.types("jobs -r | wc -l | tr -d ' '\n")
	term.sees("\n1")
	term.types("kill %1; exit 5\n")
	term.ends(5)
}

// Under a shell with job control, hatchery stops and goes on with its child.
func TestJobOfAShell(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash")
	}
	// The shell leads the session here, not hatchery.
	h := hatchery(t)
	shell := exec.Command(bash, "--norc", "--noprofile", "-i")
	shell.Env = append(h.Env, "PS1=prompt> ", "TERM=dumb", "H="+h.Path)
	term := start(t, shell)
	term.sees("prompt> ")
	term.types("$H run -- " + jobLine)
	term.sees("job: up")
	term.types(ctrlZ)
	term.sees("Stopped")
	term.sees("prompt> ")
	term.types("fg\n")
	term.sees("job: woken")
	term.types(ctrlC)
	term.sees("got")
	term.sees("prompt> ")
	term.types("echo code $?; $H run -- sh -c 'echo t''wo; exec sleep 60' | cat\n")
	term.sees("code 6")
	term.sees("two")
	term.types(ctrlC)
	term.sees("prompt> ")
	term.types("exit 4\n")
	term.ends(4)
}

func TestHangUpOfTheTerminal(t *testing.T) {
	dir := t.TempDir()
	term := onTerminal(t, "run", "--", "sh", "-c", `trap "echo > `+dir+`/hup; exit 3" HUP; echo ready; while :; do sleep 0.02; done`)
	term.sees("ready")
	term.ptmx.Close()
	appears(t, dir+"/hup")
	term.ends(3)
}
