//go:build linux

package host_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// onTerminal starts a shell script on a terminal.
func onTerminal(t *testing.T, h *host.Host, size host.TerminalSize, script string) (*host.Cmd, *host.Terminal) {
	t.Helper()
	cmd := h.Command("sh", "-c", script)
	term, err := cmd.StartTerminal(size)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { term.Close() })
	return cmd, term
}

// see reads from the terminal until it has shown text.
func see(t *testing.T, term *host.Terminal, text string) {
	t.Helper()
	term.SetReadDeadline(time.Now().Add(10 * time.Second))
	defer term.SetReadDeadline(time.Time{})
	var shown []byte
	for buf := make([]byte, 1); !bytes.HasSuffix(shown, []byte(text)); {
		n, err := term.Read(buf)
		if shown = append(shown, buf[:n]...); err != nil {
			t.Fatalf("the terminal shows %q, then %v; want %q", shown, err, text)
		}
	}
}

func TestTerminalOfACmd(t *testing.T) {
	h := open(t, host.Config{})
	cmd, term := onTerminal(t, h, host.TerminalSize{Rows: 7, Columns: 33}, `test -t 0 -a -t 1 -a -t 2 && tty && stty size; ps -o tpgid= -p $$; echo $$; exit 3`)
	out, err := io.ReadAll(term)
	if err != nil {
		t.Error(err)
	}
	lines := strings.Split(string(out), "\r\n")
	if len(lines) != 5 || !strings.HasPrefix(lines[0], "/dev/pts/") || lines[1] != "7 33" || strings.TrimSpace(lines[2]) != lines[3] {
		t.Errorf("%q", lines)
	}
	if err := cmd.Wait(); err == nil || err.Error() != "exit status 3" {
		t.Error(err)
	}
}

func TestTerminalForWhatIsNotSet(t *testing.T) {
	h := open(t, host.Config{})
	var out bytes.Buffer
	cmd := h.Command("sh", "-c", "test -t 0 && test ! -t 1 && test -t 2 && stty size && echo to the terminal >&2 && echo and so >/dev/tty")
	cmd.Stdout = &out
	term, err := cmd.StartTerminal(host.TerminalSize{})
	if err != nil {
		t.Fatal(err)
	}
	defer term.Close()
	shown, err := io.ReadAll(term)
	if werr := cmd.Wait(); werr != nil || err != nil || string(shown) != "to the terminal\r\nand so\r\n" || out.String() != "24 80\n" {
		t.Errorf("%v, %v, %q, %q", werr, err, shown, out.String())
	}
	cmd = h.Command("cat")
	cmd.Stdout, cmd.Stderr = &out, &out
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cmd.StartTerminal(host.TerminalSize{}); err == nil {
		t.Error("started without a place for the terminal")
	}
	if err := in.Close(); !errors.Is(err, os.ErrClosed) {
		t.Error("a pipe was left open: ", err)
	}
	cmd = h.Command("/no/such/program")
	if _, err := cmd.StartTerminal(host.TerminalSize{}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func TestTerminalKeysAndResize(t *testing.T) {
	h := open(t, host.Config{})
	cmd, term := onTerminal(t, h, host.TerminalSize{}, `trap 'stty size' WINCH; trap 'echo int; exit 5' INT; echo ready; while :; do sleep 0.02; done`)
	see(t, term, "ready\r\n")
	for _, size := range []host.TerminalSize{{Rows: 50, Columns: 132}, {Rows: 1, Columns: 2, Width: 3, Height: 4}} {
		if err := term.Resize(size); err != nil {
			t.Fatal(err)
		}
		see(t, term, fmt.Sprintf("%d %d\r\n", size.Rows, size.Columns))
		if got, err := term.Size(); got != size || err != nil {
			t.Errorf("Size: %v, %v", got, err)
		}
	}
	io.WriteString(term, "\x03")
	see(t, term, "int\r\n")
	if cmd.Wait(); cmd.ProcessState.Code != 5 {
		t.Error(cmd.ProcessState)
	}
}

func TestTerminalClosedIsHungUp(t *testing.T) {
	h := open(t, host.Config{})
	dir := t.TempDir()
	cmd, term := onTerminal(t, h, host.TerminalSize{}, `trap 'echo > `+dir+`/hup; exit 4' HUP; echo ready; while :; do sleep 0.02; done`)
	see(t, term, "ready\r\n")
	read := make(chan error, 1)
	go func() { _, err := term.Read(make([]byte, 1)); read <- err }()
	term.Close()
	if err := <-read; !errors.Is(err, os.ErrClosed) {
		t.Error("Read: ", err)
	}
	cmd.Wait()
	if _, err := os.Stat(dir + "/hup"); err != nil || cmd.ProcessState.Code != 4 {
		t.Error(err, cmd.ProcessState)
	}
}

// Whatever the child wrote is read, however late, and though somebody still
// holds its terminal.
func TestTerminalShowsEverything(t *testing.T) {
	for name, script := range map[string]string{
		"alone":               `seq 30000; echo end`,
		"with a descendant":   `(trap "" HUP; exec sleep 60) & seq 30000; echo end`,
		"of a few bytes":      `(trap "" HUP; exec sleep 60) & echo end`,
		"with one that talks": `(trap "" HUP; while :; do echo; sleep 0.01; done) & seq 30000; echo end`,
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t, host.Config{})
			cmd, term := onTerminal(t, h, host.TerminalSize{}, script)
			begin := time.Now()
			out, err := io.ReadAll(term)
			if err != nil || !bytes.Contains(out, []byte("end\r\n")) {
				t.Errorf("it shows %d bytes, ending in %q, %v", len(out), out[max(0, len(out)-20):], err)
			}
			if strings.Contains(script, "seq") && !bytes.Contains(out, []byte("29999\r\n30000\r\n")) {
				t.Errorf("it shows %d bytes", len(out))
			}
			if took := time.Since(begin); took > 20*time.Second {
				t.Errorf("it took %v", took)
			}
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
}

// What the child wrote is there when reading begins only after its end.
func TestTerminalIsReadLate(t *testing.T) {
	h := open(t, host.Config{Timeouts: host.Timeouts{Drain: time.Millisecond}})
	cmd, term := onTerminal(t, h, host.TerminalSize{}, `(trap "" HUP; exec sleep 60) & seq 500`)
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(term)
	if err != nil || !bytes.HasSuffix(out, []byte("\n499\r\n500\r\n")) {
		t.Errorf("%d bytes, %v", len(out), err)
	}
}

func TestTerminalDeadline(t *testing.T) {
	term, child, err := host.OpenTerminal(host.TerminalSize{})
	if err != nil {
		t.Fatal(err)
	}
	defer child.Close()
	defer term.Close()
	term.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	if _, err := term.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("Read: ", err)
	}
	term.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
	if _, err := term.Write(bytes.Repeat([]byte("line\n"), 1<<20)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("Write: ", err)
	}
	if _, err := host.TerminalSizeOf(child); err != nil {
		t.Error(err)
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if _, err := host.TerminalSizeOf(null); !errors.Is(err, syscall.ENOTTY) {
		t.Error(err)
	}
}

// A megabyte goes through a terminal in both directions at once.
func TestTerminalCarriesALot(t *testing.T) {
	h := open(t, host.Config{})
	cmd, term := onTerminal(t, h, host.TerminalSize{}, "stty raw -echo; echo ready; exec head -c 1000000")
	see(t, term, "ready\n")
	data := bytes.Repeat([]byte("0123456789\r\n\x03\x04"), 1000000/14+1)[:1000000]
	wrote := make(chan error, 1)
	go func() { _, err := term.Write(data); wrote <- err }()
	out, err := io.ReadAll(term)
	if err != nil || !bytes.Equal(out, data) {
		t.Errorf("%d bytes came back, %v", len(out), err)
	}
	if err := errors.Join(<-wrote, cmd.Wait()); err != nil {
		t.Error(err)
	}
}

func TestTerminalEndOfInput(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		bash = "sh"
	}
	for name, tt := range map[string]struct{ input, script, want string }{
		"a line":              {"some words\n", "exec cat", "some words\r\nsome words\r\n"},
		"no line":             {"half", "exec cat", "halfhalf"},
		"nothing":             {"", "cat; echo end", "end\r\n"},
		"at every read":       {"a\n", "stty -echo; cat; cat; cat; echo end", "a\r\nend\r\n"},
		"somebody who sleeps": {"", "sleep 0.3; cat; echo end", "end\r\n"},
		// Readline edits the line itself; between commands it does not.
		"a shell": {"sleep 0.1\necho en''d\n", "exec " + bash + " --norc --noprofile -i", "end\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t, host.Config{})
			cmd, term := onTerminal(t, h, host.TerminalSize{}, tt.script)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended := make(chan error, 1)
			go func() {
				io.WriteString(term, tt.input)
				ended <- term.EndInput(ctx)
			}()
			timer := time.AfterFunc(10*time.Second, func() { cmd.Process.Kill() })
			defer timer.Stop()
			out, err := io.ReadAll(term)
			if err != nil || !strings.Contains(string(out), tt.want) {
				t.Errorf("it shows %q, %v; want %q", out, err, tt.want)
			}
			cancel()
			if err := errors.Join(<-ended, cmd.Wait()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTerminalThatCannotBeHad(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{&os.PathError{Op: "open", Path: "/dev/ptmx", Err: syscall.ENOSPC}, "/proc/sys/kernel/pty/max"},
		{&os.PathError{Op: "open", Path: "/dev/ptmx", Err: syscall.ENOENT}, "mount devpts"},
	} {
		err := host.TerminalError(tt.err)
		var e *spawn.Error
		if !errors.As(err, &e) || !errors.Is(err, errors.Unwrap(tt.err)) || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "/dev/ptmx") {
			t.Errorf("%v, want %s", err, tt.want)
		}
	}
}

// The kernel may say that it is the end before it has given everything away:
// that is not believed at once.
func TestTerminalShowsTheLastWords(t *testing.T) {
	h := open(t, host.Config{})
	for n := range 200 {
		cmd, term := onTerminal(t, h, host.TerminalSize{}, `echo words; exit 0`)
		read := make(chan struct{})
		var out []byte
		var err error
		go func() { out, err = io.ReadAll(term); close(read) }()
		werr := cmd.Wait()
		<-read
		if string(out) != "words\r\n" || err != nil || werr != nil {
			t.Fatalf("%d: %q, %v, %v", n, out, err, werr)
		}
		term.Close()
	}
}
