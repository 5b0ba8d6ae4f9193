//go:build linux

package host_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A face is what exec.Cmd and host.Cmd have in common.
type face interface {
	Start() error
	Run() error
	Wait() error
	Output() ([]byte, error)
	CombinedOutput() ([]byte, error)
	StdinPipe() (io.WriteCloser, error)
	StdoutPipe() (io.ReadCloser, error)
	StderrPipe() (io.ReadCloser, error)
	Environ() []string
	String() string
}

var (
	_ face = (*exec.Cmd)(nil)
	_ face = (*host.Cmd)(nil)
)

// A cmdMaker makes the one or the other.
type cmdMaker struct {
	command func(ctx context.Context, name string, args ...string) face
}

// sh makes a command that runs a script. Fields are given as name and value.
func (m cmdMaker) sh(script string, fields ...any) face {
	return set(m.command(nil, "/bin/sh", "-c", script), fields...)
}

func (m cmdMaker) shContext(ctx context.Context, script string, fields ...any) face {
	return set(m.command(ctx, "/bin/sh", "-c", script), fields...)
}

func set(c face, fields ...any) face {
	v := reflect.ValueOf(c).Elem()
	for i := 0; i < len(fields); i += 2 {
		f := v.FieldByName(fields[i].(string))
		if fields[i+1] == nil {
			f.SetZero()
		} else {
			f.Set(reflect.ValueOf(fields[i+1]))
		}
	}
	return c
}

// said makes errors of both comparable.
func said(err error) string {
	if err == nil {
		return "nil"
	}
	text := strings.TrimPrefix(strings.TrimPrefix(err.Error(), "exec: "), "hatchery: ")
	for _, known := range []error{exec.ErrNotFound, exec.ErrDot, exec.ErrWaitDelay, fs.ErrNotExist, fs.ErrPermission, context.Canceled, io.ErrUnexpectedEOF, fs.ErrClosed} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	var theirs *exec.ExitError
	var ours *spawn.ExitError
	switch {
	case errors.As(err, &theirs):
		return fmt.Sprintf("%s, stderr %.80q of %d", theirs, theirs.Stderr, len(theirs.Stderr))
	case errors.As(err, &ours):
		return fmt.Sprintf("%s, stderr %.80q of %d", ours, ours.Stderr, len(ours.Stderr))
	}
	return text
}

// likenesses are uses and misuses of a Cmd whose outcome is the same.
var likenesses = map[string]func(m cmdMaker) string{
	"started twice": func(m cmdMaker) string {
		c := m.sh("true")
		return said(c.Start()) + said(c.Start()) + said(c.Wait())
	},
	"started after a failure": func(m cmdMaker) string {
		c := m.command(nil, "/missing/program")
		return said(c.Start()) + said(c.Start()) + said(c.Wait())
	},
	"waited for before the start": func(m cmdMaker) string { return said(m.sh("true").Wait()) },
	"waited for twice": func(m cmdMaker) string {
		c := m.sh("exit 3")
		return said(c.Run()) + said(c.Wait())
	},
	"pipes after Stdin and its kin": func(m cmdMaker) string {
		c := m.sh("true", "Stdin", new(bytes.Buffer), "Stdout", new(bytes.Buffer), "Stderr", new(bytes.Buffer))
		return pipeErrors(c)
	},
	"pipes after the start": func(m cmdMaker) string {
		c := m.sh("true")
		return said(c.Start()) + pipeErrors(c) + said(c.Wait())
	},
	"Output with Stdout": func(m cmdMaker) string {
		out, err := m.sh("echo a", "Stdout", new(bytes.Buffer)).Output()
		return string(out) + said(err)
	},
	"CombinedOutput with Stdout": func(m cmdMaker) string {
		out, err := m.sh("echo a", "Stdout", new(bytes.Buffer)).CombinedOutput()
		return string(out) + said(err)
	},
	"CombinedOutput with Stderr": func(m cmdMaker) string {
		out, err := m.sh("echo a", "Stderr", new(bytes.Buffer)).CombinedOutput()
		return string(out) + said(err)
	},
	"Cancel without a context": func(m cmdMaker) string {
		err := m.sh("true", "Cancel", func() error { return nil }).Run()
		return fmt.Sprint(err != nil)
	},
	"a context that has ended": func(m cmdMaker) string {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		return said(m.shContext(ctx, "true").Run())
	},
	"a name that is nowhere": func(m cmdMaker) string { return said(m.command(nil, "no-such-program").Run()) },
	"a path that is nowhere": func(m cmdMaker) string { return said(m.command(nil, "./no-such-program").Run()) },
	"a directory that is not there": func(m cmdMaker) string {
		return said(m.sh("true", "Dir", "/missing").Run())
	},
	"a folder as program": func(m cmdMaker) string { return said(m.command(nil, "/usr").Run()) },
	"no program":          func(m cmdMaker) string { return fmt.Sprint(m.command(nil, "").Run() != nil) },
	"much on standard error": func(m cmdMaker) string {
		out, err := m.sh("echo out; yes error | head -c 100000 >&2; exit 4").Output()
		return string(out) + said(err)
	},
	"standard error that goes elsewhere": func(m cmdMaker) string {
		var buf bytes.Buffer
		out, err := m.sh("echo out; echo error >&2; exit 4", "Stderr", &buf).Output()
		return string(out) + said(err) + buf.String()
	},
	"ended by a signal":   func(m cmdMaker) string { return said(m.sh("kill -TERM $$").Run()) },
	"one Writer for both": likenessOfOneWriter,
	"StdinPipe":           likenessOfStdinPipe,
	"StdoutPipe":          likenessOfStdoutPipe,
	"Cancel":              likenessOfCancel,
	"output held open":    likenessOfWaitDelay,
	"a Reader that fails": func(m cmdMaker) string { return said(m.sh("cat", "Stdin", brokenReader()).Run()) },
	"a Reader not read": func(m cmdMaker) string {
		return said(m.sh("true", "Stdin", strings.NewReader(strings.Repeat("x", 1<<20))).Run())
	},
	"a Writer that fails": func(m cmdMaker) string { return said(m.sh("echo a", "Stdout", iotestWriter{}).Run()) },
	"environments":        likenessOfEnviron,
	"its text": func(m cmdMaker) string {
		return m.sh("echo a").String() + m.command(nil, "no-such-program", "x").String() + m.command(nil, "/bin/a b", "c").String()
	},
	"Err": func(m cmdMaker) string { return said(m.sh("true", "Err", errors.New("mine")).Run()) },
}

func pipeErrors(c face) string {
	_, in := c.StdinPipe()
	_, out := c.StdoutPipe()
	_, errs := c.StderrPipe()
	return said(in) + said(out) + said(errs)
}

func brokenReader() io.Reader {
	return io.MultiReader(strings.NewReader("a"), iotest.ErrReader(io.ErrUnexpectedEOF))
}

type iotestWriter struct{}

func (iotestWriter) Write([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func likenessOfOneWriter(m cmdMaker) string {
	var buf bytes.Buffer
	err := m.sh("echo a; echo b >&2; echo c", "Stdout", &buf, "Stderr", &buf).Run()
	return said(err) + buf.String()
}

func likenessOfStdinPipe(m cmdMaker) string {
	c := m.sh("cat")
	var buf bytes.Buffer
	set(c, "Stdout", &buf)
	in, err := c.StdinPipe()
	text := said(err) + said(c.Start())
	_, err = io.WriteString(in, "through it")
	text += said(err) + said(in.Close()) + said(in.Close()) + said(c.Wait())
	_, err = io.WriteString(in, "late")
	return text + said(err) + buf.String()
}

func likenessOfStdoutPipe(m cmdMaker) string {
	c := m.sh("echo a; echo b >&2")
	out, _ := c.StdoutPipe()
	errs, _ := c.StderrPipe()
	text := said(c.Start())
	a, err := io.ReadAll(out)
	text += string(a) + said(err)
	b, err := io.ReadAll(errs)
	text += string(b) + said(err) + said(c.Wait())
	_, err = out.Read(make([]byte, 1))
	return text + said(err)
}

func likenessOfCancel(m cmdMaker) string {
	text := ""
	kill := func(c face) error { // both have a field Process with that method
		p := reflect.ValueOf(c).Elem().FieldByName("Process").Interface().(interface{ Signal(os.Signal) error })
		return p.Signal(syscall.SIGTERM)
	}
	for _, result := range []error{nil, os.ErrProcessDone, errors.New("mine")} {
		ctx, cancel := context.WithCancel(context.Background())
		c := m.shContext(ctx, "trap 'exit 0' TERM; echo; while :; do sleep 0.01; done")
		set(c, "Cancel", func() error { kill(c); return result })
		out, _ := c.StdoutPipe()
		text += said(c.Start())
		out.Read(make([]byte, 1)) // the trap is set
		cancel()
		text += said(c.Wait()) + ";"
	}
	ctx, cancel := context.WithCancel(context.Background())
	c := m.shContext(ctx, "read x; exit 5", "Cancel", nil)
	in, _ := c.StdinPipe()
	text += said(c.Start())
	cancel()
	in.Close()
	text += said(c.Wait())
	ctx, cancel = context.WithCancel(context.Background())
	c = m.shContext(ctx, "exec sleep 100")
	text += said(c.Start())
	cancel()
	return text + said(c.Wait())
}

func likenessOfWaitDelay(m cmdMaker) string {
	var buf bytes.Buffer
	c := m.sh("sleep 10 & echo a", "Stdout", &buf, "WaitDelay", 50*time.Millisecond)
	begin := time.Now()
	err := c.Run()
	return fmt.Sprint(said(err), buf.String(), time.Since(begin) < 5*time.Second)
}

func likenessOfEnviron(m cmdMaker) string {
	text := ""
	for _, env := range [][]string{nil, {}, {"A=1", "A=2", "B=1"}, {"=x", "=x", "novalue", "novalue", ""}, {"PWD=/a"}, {"PWD=/a", "PWD=/b"}} {
		for _, dir := range []string{"", "/usr", "..", "/usr/."} {
			c := m.command(nil, "/usr/bin/env")
			set(c, "Env", env, "Dir", dir)
			out, err := c.Output()
			text += fmt.Sprintf("%q\n%q %s\n", c.Environ(), out, said(err))
		}
	}
	return text
}

// TestCmdIsLikeExecCmd uses and misuses both, and compares what comes of it.
func TestCmdIsLikeExecCmd(t *testing.T) {
	h := open(t, host.Config{})
	theirs := cmdMaker{func(ctx context.Context, name string, args ...string) face {
		if ctx == nil {
			return exec.Command(name, args...)
		}
		return exec.CommandContext(ctx, name, args...)
	}}
	ours := cmdMaker{func(ctx context.Context, name string, args ...string) face {
		if ctx == nil {
			return h.Command(name, args...)
		}
		return h.CommandContext(ctx, name, args...)
	}}
	for name, use := range likenesses {
		t.Run(name, func(t *testing.T) {
			if got, want := use(ours), use(theirs); got != want {
				t.Errorf("\nhere    %s\nos/exec %s", got, want)
			}
		})
	}
}

// TestErrDotIsTheirs has a program in the current directory, which $PATH names.
func TestErrDotIsTheirs(t *testing.T) {
	h := open(t, host.Config{})
	dir := filepath.Dir(tiny(t))
	t.Chdir(dir)
	t.Setenv("PATH", ".")
	if want, got := exec.Command("tiny").Run(), h.Command("tiny").Run(); !errors.Is(want, exec.ErrDot) || !errors.Is(got, exec.ErrDot) {
		t.Errorf("os/exec %v, here %v", want, got)
	}
}

// TestClosedFileIsRefused: os/exec would leave the number closed in the child.
func TestClosedFileIsRefused(t *testing.T) {
	h := open(t, host.Config{})
	f, err := os.Open("/dev/zero")
	must(t, err, f.Close())
	cmd := h.Command("/bin/true")
	cmd.ExtraFiles = []*os.File{nil, f}
	if err := cmd.Run(); !errors.Is(err, syscall.EBADF) || !strings.Contains(err.Error(), "descriptor 4 is closed") {
		t.Errorf("error %v, want that descriptor 4 is closed", err)
	}
}
