package keep

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/runfolder"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// lock has this process be the only one of its user that starts a server, until unlock
// is called: the lock of the folder in which hosts make theirs.
func lock(ctx context.Context) (unlock func(), err error) {
	var refused error
	for _, base := range runfolder.Bases(os.Geteuid()) {
		f, err := lockFolder(ctx, base)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if ctx.Err() != nil {
			return nil, &spawn.Error{Kind: spawn.ErrTimeout, Phase: spawn.PhaseStart, Op: Option, Path: base, Msg: "somebody else has been starting a server for too long"}
		}
		refused = errors.Join(refused, err)
	}
	return nil, failure("no place for a server: set $XDG_RUNTIME_DIR or $TMPDIR to a folder that can be written to; %w", refused)
}

// lockFolder locks a folder, which it makes if need be. A host that ends may remove
// an empty one meanwhile.
func lockFolder(ctx context.Context, base string) (*os.File, error) {
	for {
		if err := os.Mkdir(base, 0o700); err == nil {
			os.Chmod(base, 0o700) // whatever the umask is
		} else if !os.IsExist(err) {
			return nil, err
		}
		err := runfolder.CheckPrivate(base, os.Geteuid())
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		f, err := os.Open(base)
		if err != nil {
			return nil, err
		}
		if err := flock(ctx, f); err != nil {
			return nil, err
		}
		locked, err := f.Stat()
		now, lerr := os.Lstat(base)
		if err == nil && lerr == nil && os.SameFile(locked, now) {
			return f, nil
		}
		f.Close()
		if err != nil {
			return nil, err
		}
	}
}

// flock locks f: flock(2). When ctx ends before, f is closed when it is locked.
func flock(ctx context.Context, f *os.File) error {
	done := make(chan error, 1)
	go func() { done <- syscall.Flock(int(f.Fd()), syscall.LOCK_EX) }()
	select {
	case err := <-done:
		if err != nil {
			f.Close()
		}
		return err
	case <-ctx.Done():
		go func() { <-done; f.Close() }()
		return ctx.Err()
	}
}

// launch starts a server and returns when it can be connected to.
func launch(ctx context.Context, key string) error {
	r, w, err := os.Pipe()
	if err != nil {
		return failure("%w", err)
	}
	defer r.Close()
	cmd := &exec.Cmd{
		Path: "/proc/self/exe", Args: []string{Name, key}, Dir: "/", Env: environment(),
		ExtraFiles: []*os.File{w}, SysProcAttr: &syscall.SysProcAttr{Setsid: true},
	}
	err = cmd.Start()
	w.Close()
	if err != nil {
		return failure("the server cannot be started: %w", err)
	}
	go cmd.Wait() // it may end before this process does
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { r.SetReadDeadline(time.Unix(1, 0)) })
	said, err := io.ReadAll(io.LimitReader(r, 64<<10))
	if !stop() {
		cmd.Process.Kill()
		return &spawn.Error{Kind: spawn.ErrTimeout, Phase: spawn.PhaseStart, Op: Option, Msg: "the server was not ready in time"}
	}
	switch {
	case err != nil:
		return failure("%w", err)
	case len(said) == 0:
		return failure("the server ended before it was ready")
	case string(said) == readiness:
		return nil
	}
	e := new(spawn.Error)
	if err := e.UnmarshalBinary(said); err != nil {
		return failure("the server: %w", err)
	}
	return e
}

// readiness is what a server says when it can be connected to. Otherwise it says an
// error.
const readiness = "ready"

// environment returns what a server looks at: where folders are.
func environment() []string {
	env := []string{}
	for _, name := range [...]string{"XDG_RUNTIME_DIR", "TMPDIR", "GORACE", "GOCOVERDIR"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}
