package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// Names of what methods are compared with.
const (
	OSExec = "os/exec"
	Bwrap  = "bwrap"
)

// A way is one way to start children.
type way struct {
	method  string // the key, OSExec or Bwrap
	against string // the method that it is compared with; empty for none
	each    int    // children that one start makes
	alone   bool   // by one caller, however many the others have
	start   func(ctx context.Context, p *Program) (running, error)
}

// running is what a start has made.
type running interface {
	// wait waits for the end. What did not succeed is an error.
	wait() error
	// kill makes wait return soon.
	kill()
}

// osExec starts a program as most Go programs do.
func osExec() *way {
	return &way{method: OSExec, each: 1, start: func(_ context.Context, p *Program) (running, error) {
		c := &exec.Cmd{Path: p.Path, Args: p.Args, Env: []string{}}
		return command{c}, c.Start()
	}}
}

// bwrapArgs are what bubblewrap is compared by: every namespace, everything
// read-only, a /proc and a /dev of its own.
func bwrapArgs() []string {
	return []string{"--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"}
}

// bwrap starts a program in a sandbox.
func bwrap(path string) *way {
	return &way{method: Bwrap, against: OSExec, each: 1, start: func(_ context.Context, p *Program) (running, error) {
		args := append(append([]string{path}, bwrapArgs()...), p.Path)
		c := &exec.Cmd{Path: path, Args: append(args, p.Args[1:]...), Env: []string{}, SysProcAttr: ownGroup()}
		return sandbox{command{c}}, c.Start()
	}}
}

// command is a child of package os/exec.
type command struct{ *exec.Cmd }

func (c command) wait() error { return c.Wait() }
func (c command) kill()       { c.Process.Kill() }

// sandbox is a bubblewrap in a process group of its own. Its process 1 waits for
// ever when the process that made it is killed too early, by a key of the
// terminal for one: so that does not reach them, and what has to be killed is
// killed together.
type sandbox struct{ command }

func (s sandbox) kill() { killGroup(s.Process) }

// byMethod starts a program by a method of the host.
func byMethod(h *host.Host, key, against string) *way {
	return &way{method: key, against: against, each: 1, start: func(ctx context.Context, p *Program) (running, error) {
		c, err := h.StartMethod(ctx, key, spec(key, p))
		return child{c}, err
	}}
}

// spec is a child of a method. One in a sandbox finds there what was written for
// this, and a directory to be in.
func spec(key string, p *Program) spawn.Spec {
	s := spawn.Spec{Path: p.Path, Args: p.Args, Env: []string{}}
	if key == isolate {
		s.Dir = "/"
		if p.tidier != nil {
			s.Options = []spawn.Option{{Key: "bind", Value: filepath.Dir(p.Path)}}
		}
	}
	return s
}

// inBatches starts programs by a method of the host, many in one request.
func inBatches(h *host.Host, key string, size int) *way {
	return &way{method: key, against: OSExec, each: size, alone: true, start: func(ctx context.Context, p *Program) (running, error) {
		specs := make([]spawn.Spec, size)
		for i := range specs {
			specs[i] = spec(key, p)
		}
		cs, err := h.StartAllMethod(ctx, key, specs)
		return batch(cs), err
	}}
}

// batch is what one request has started.
type batch []*host.Process

func (b batch) wait() (first error) {
	for _, c := range b {
		if c == nil {
			continue // its error came with the batch
		}
		if err := (child{c}).wait(); first == nil {
			first = err
		}
	}
	return first
}

func (b batch) kill() {
	for _, c := range b {
		if c != nil {
			c.Signal(os.Kill)
		}
	}
}

// child is a child of the host.
type child struct{ *host.Process }

func (c child) wait() error {
	status, err := c.Wait()
	if err == nil && !status.Success() {
		err = fmt.Errorf("the program ended with %v", status)
	}
	return err
}

func (c child) kill() { c.Signal(os.Kill) }
