package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// A Cmd is a child that is being prepared, run or waited for, with the face of
// exec.Cmd: fields and methods of the same name mean the same, and
// docs/embedding.md lists what differs. It cannot be used again after Start,
// Run, Output or CombinedOutput.
type Cmd struct {
	// Path, Args, Env, Dir: as in exec.Cmd, but for a Path without a slash,
	// which Start looks up. Command fills Path and Args.
	Path string
	Args []string
	Env  []string
	Dir  string

	// Stdin is what the child reads: nil is /dev/null, an *os.File becomes
	// the child's own descriptor, any other Reader is copied through a
	// pipe. Reading from it is not waited for once the child has ended.
	Stdin io.Reader

	// Stdout and Stderr are where the child writes: nil is /dev/null, an
	// *os.File becomes the child's own descriptor, any other Writer is
	// copied to through a pipe. If both are the same Writer, at most one
	// goroutine at a time calls Write.
	Stdout, Stderr io.Writer

	// ExtraFiles[i] becomes the child's descriptor 3+i. Nil entries are
	// closed in the child.
	ExtraFiles []*os.File

	// Spec has everything else: group, credential, limits, options … Its
	// Path, Args, Env, Dir and Files are overwritten by Start. With Foreground
	// set, Wait brings the host's group back into the foreground if it was
	// there before, as does a Start that fails; unless another group has come
	// there by then that is alive, as when a shell has put the host into the
	// background.
	Spec spawn.Spec

	// Method is the key of the spawn method. Empty means the host's
	// selected one.
	Method string

	// Cancel is called when the context of CommandContext ends, which sets it
	// to Process.Kill: that takes the child's descendants with it. Nil means
	// that the child is let alone. If the child then exits with code 0, Wait
	// returns the context's error, or that of Cancel unless it is
	// os.ErrProcessDone.
	Cancel func() error

	// WaitDelay bounds the wait for output after the child has ended, or
	// after its context has: then the child is killed. Zero means
	// Timeouts.Drain, which ends without an error when a descendant merely
	// holds the pipe open; with a WaitDelay it is exec.ErrWaitDelay.
	WaitDelay time.Duration

	// Process is the child, once started.
	Process *Process

	// ProcessState is the child's status, once Wait has returned.
	ProcessState *spawn.ExitStatus

	// Err is an error of Command that Start returns.
	Err error

	host *Host
	ctx  context.Context // as in exec.Cmd: the face leaves no other place for it

	stdio    *stdio
	taken    *foreground   // what to take back once the child has ended
	drained  chan struct{} // closed when the Terminal knows of the end; nil without one
	canceled chan error    // receives what Cancel returned, or is closed
	started  bool          // or tried to
	waited   bool
}

// Command returns a Cmd that runs the named program with the given arguments.
func (h *Host) Command(name string, arg ...string) *Cmd {
	return &Cmd{host: h, Path: name, Args: append([]string{name}, arg...)}
}

// CommandContext is Command with a context that, when it ends before the
// child does, ends the child by Cancel. ctx must not be nil.
func (h *Host) CommandContext(ctx context.Context, name string, arg ...string) *Cmd {
	if ctx == nil {
		panic("nil Context")
	}
	c := h.Command(name, arg...)
	c.ctx = ctx
	c.Cancel = func() error { return c.Process.Kill() }
	return c
}

// String returns a readable form of the command, not meant for a shell.
func (c *Cmd) String() string {
	if len(c.Args) == 0 {
		return c.Path
	}
	return strings.Join(append([]string{c.Path}, c.Args[1:]...), " ")
}

// Environ returns the environment the child would get now, as exec.Cmd makes it
// of Env and Dir: of several values of one variable the last, and in a host's
// own environment the $PWD that Dir says.
func (c *Cmd) Environ() []string {
	return (&exec.Cmd{Env: c.Env, Dir: c.Dir}).Environ()
}

// environ is Environ, but leaves in what no environment can have, for Start to
// complain of.
func (c *Cmd) environ() []string {
	for _, kv := range c.Env {
		if strings.IndexByte(kv, 0) >= 0 {
			return c.Env
		}
	}
	return c.Environ()
}

// Run starts the child and waits for it.
func (c *Cmd) Run() error {
	if err := c.Start(); err != nil {
		return err
	}
	return c.Wait()
}

// Output runs the child and returns what it wrote to its standard output. If
// Stderr is nil, the error of a child that failed (*spawn.ExitError) has what
// it wrote there, as far as it fits into 64 KiB.
func (c *Cmd) Output() ([]byte, error) {
	if c.Stdout != nil {
		return nil, errors.New("hatchery: Stdout already set")
	}
	var out bytes.Buffer
	c.Stdout = &out
	var errOut *prefixSuffix
	if c.Stderr == nil {
		errOut = new(prefixSuffix)
		c.Stderr = errOut
	}
	err := c.Run()
	var ee *spawn.ExitError
	if errOut != nil && errors.As(err, &ee) {
		ee.Stderr = errOut.Bytes()
	}
	return out.Bytes(), err
}

// CombinedOutput runs the child and returns what it wrote to its standard
// output and standard error.
func (c *Cmd) CombinedOutput() ([]byte, error) {
	if c.Stdout != nil {
		return nil, errors.New("hatchery: Stdout already set")
	}
	if c.Stderr != nil {
		return nil, errors.New("hatchery: Stderr already set")
	}
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err := c.Run()
	return out.Bytes(), err
}

// Start starts the child and does not wait for it. After a success Wait must
// be called to release what copies its input and output.
func (c *Cmd) Start() error {
	if c.started {
		return errors.New("hatchery: already started")
	}
	c.started = true
	ctx := c.ctx
	if ctx == nil {
		ctx = context.Background()
	}
	if c.Err != nil {
		c.io().abandon()
		return c.Err
	}
	if c.Cancel != nil && c.ctx == nil {
		c.io().abandon()
		return errors.New("hatchery: a Cmd with a Cancel that was not made by CommandContext")
	}
	if err := ctx.Err(); err != nil {
		c.io().abandon()
		return err
	}
	files, err := c.io().open(c)
	if err != nil {
		c.io().abandon()
		return err
	}
	spec := c.Spec
	spec.Path, spec.Args, spec.Env, spec.Dir, spec.Files = c.Path, c.Args, nil, c.Dir, files
	if c.Env != nil {
		spec.Env = c.environ()
	}
	method := c.Method
	if method == "" {
		method = string(c.host.Selected())
	}
	c.taken = holdForeground(&spec)
	c.Process, err = c.host.startMethod(ctx, method, spec, c.environ)
	if err != nil {
		c.taken.takeBack(0)
		c.io().abandon()
		return err
	}
	c.io().begin()
	if c.ctx != nil {
		c.canceled = make(chan error, 1)
		go c.watch()
	}
	return nil
}

// watch waits for the end of the context or of the child.
func (c *Cmd) watch() {
	defer close(c.canceled)
	select {
	case <-c.Process.Done():
		return
	case <-c.ctx.Done():
	}
	var err error
	if c.Cancel != nil {
		switch cerr := c.Cancel(); {
		case errors.Is(cerr, os.ErrProcessDone): // it had ended by itself
		case cerr != nil:
			err = fmt.Errorf("hatchery: canceling Cmd: %w", cerr)
		default:
			err = c.ctx.Err()
		}
	}
	c.canceled <- err
	if c.WaitDelay <= 0 {
		return
	}
	timer := time.NewTimer(c.WaitDelay)
	defer timer.Stop()
	select {
	case <-c.Process.Done():
	case <-timer.C:
		c.Process.Kill()
	}
}

// Wait waits for the end of the child and of the copying of its output. The
// error is a *spawn.ExitError when the child did not exit with code 0, else
// the context's when it ended before the child, else an error of copying, else
// nil.
func (c *Cmd) Wait() error {
	if c.Process == nil {
		return errors.New("hatchery: not started")
	}
	if c.waited {
		return errors.New("hatchery: Wait was already called")
	}
	c.waited = true
	status, err := c.Process.Wait()
	c.ProcessState = &status
	c.taken.takeBack(c.Process.Pid())
	if c.drained != nil {
		<-c.drained
	}
	copyErr := c.drain()
	if c.canceled != nil {
		if cerr := <-c.canceled; cerr != nil {
			copyErr = cerr
		}
	}
	if err != nil || !status.Success() {
		return &spawn.ExitError{ExitStatus: status}
	}
	return copyErr
}

func (c *Cmd) io() *stdio {
	if c.stdio == nil {
		c.stdio = new(stdio)
	}
	return c.stdio
}
