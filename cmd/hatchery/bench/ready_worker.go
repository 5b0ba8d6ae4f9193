package bench

import (
	"context"
	"io"
	"os"
	"os/exec"

	"github.com/hatchery-spawn/hatchery/actor"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// workerName is argv[0] of this program where it is a worker.
const workerName = "hatchery-bench-worker"

// work is what a worker does: it waits until it is wanted, if it was started
// ahead, says that it is ready, and ends with its standard input.
func work() int {
	actor.Park()
	if _, err := os.Stdout.Write([]byte{'!'}); err != nil {
		return 1
	}
	io.Copy(io.Discard, os.Stdin)
	return 0
}

// byExec starts a program by package os/exec.
func byExec(spec spawn.Spec) starter {
	return func(_ context.Context, in, out *os.File) (running, error) {
		c := &exec.Cmd{Path: spec.Path, Args: spec.Args, Env: spec.Env, Dir: spec.Dir, Stdin: in, Stdout: out}
		return command{c}, c.Start()
	}
}

// byForkserver starts a program that is ready.
func (b *bench) byForkserver(spec spawn.Spec) starter {
	return func(ctx context.Context, in, out *os.File) (running, error) {
		with := spec
		with.Files = []*os.File{in, out}
		p, err := b.Host.StartMethod(ctx, forkserver, with)
		return child{p}, err
	}
}
