package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hatchery-spawn/hatchery/backends/forkserver"
	"github.com/hatchery-spawn/hatchery/cmd/hatchery/keep"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/spawn"
	"github.com/spf13/cobra"
)

// A job is what run and plan make of a request: what to start, by which
// method, and the host that does it.
type job struct {
	spec  spawn.Spec
	set   []string // variables to set in the environment that the child has anyway
	tty   *tty     // nil without --tty
	entry registry.Entry
	cfg   host.Config
	host  *host.Host // nil while the child is a server's affair
	keep  time.Duration
	grace limit
	kept  *keep.Process // the child, if it is a server's
	log   io.Closer
	app   *app
	began time.Time // when the host, or the server, was asked for
}

// open makes a job. Whoever has it closes it.
func (a *app) open(cmd *cobra.Command, r *request, args []string) (*job, error) {
	j := &job{app: a}
	var err error
	if j.spec, err = a.spec(cmd, r, args); err != nil {
		return nil, err
	}
	if !r.clearEnv {
		j.set = r.env
	}
	m, err := findMethods(r.backendDirs)
	if err != nil {
		return nil, err
	}
	if j.entry, err = a.choose(cmd, m, r.backend); err != nil {
		return nil, err
	}
	if err = j.cutKeep(cmd, r); err != nil {
		return nil, err
	}
	j.nameDirectory()
	j.cfg = host.Config{Registry: m.registry, Method: j.entry.Key, Timeouts: host.Timeouts{Grace: r.grace.orDefault()}}
	if j.log, err = r.log(cmd, &j.cfg); err != nil {
		return nil, err
	}
	if r.tty {
		if err = j.openTTY(a); err != nil {
			j.log.Close()
			return nil, err
		}
	}
	j.began = time.Now()
	if j.keep > 0 && cmd.Name() == "run" {
		return j, nil // there may be no use for a host
	}
	if err = j.openHost(); err != nil {
		j.close()
		return nil, err
	}
	return j, nil
}

// nameDirectory names the child's directory for a method that looks at the program where
// the child will be: a relative path begins there.
func (j *job) nameDirectory() {
	path := j.spec.Path
	if j.entry.Key != forkserver.Key || filepath.IsAbs(path) || !strings.Contains(path, "/") {
		return
	}
	if dir, err := filepath.Abs(j.spec.Dir); err == nil {
		j.spec.Dir = dir
	}
}

func (j *job) openHost() (err error) {
	j.host, err = host.Open(j.cfg)
	return err
}

// start starts the child, and notes when what. With warm the plugin is started first,
// so that its time is told from the child's.
func (j *job) start(ctx context.Context, warm bool, t *times) (process, error) {
	if j.keep > 0 {
		p, err := j.startKept(ctx, t)
		if p != nil || err != nil {
			return p, err
		}
		if err := j.openHost(); err != nil {
			return nil, err
		}
	}
	if err := j.ready(ctx, warm); err != nil {
		return nil, err
	}
	ready := time.Now()
	t.started(j, ready)
	p, err := j.host.Start(ctx, j.spec)
	t.Spawn = time.Since(ready).Microseconds()
	if err != nil {
		return nil, err
	}
	return p, nil
}

// openTTY gives the child a terminal of its own for what it would have had of
// ours.
func (j *job) openTTY(a *app) error {
	t, err := openTTY(a)
	if err != nil {
		return &failure{codeFailed, fmt.Errorf("--tty: %w", err), ""}
	}
	terminal := 0
	j.tty, j.spec.Files = t, []*os.File{t.child, t.child, t.child}
	j.spec.Session, j.spec.Terminal = true, &terminal
	return nil
}

// close ends everything the host has. The error names what could not be ended.
func (j *job) close() (err error) {
	j.tty.close()
	if j.kept != nil {
		err = j.kept.Close()
	}
	if j.host != nil {
		err = j.host.Close()
	}
	j.log.Close()
	return err
}

// ready tries the method out where that is needed, and completes the
// environment: what --env sets comes into the one that a child of the method has
// when none is given. warm has the plugin of any method started.
func (j *job) ready(ctx context.Context, warm bool) error {
	key := string(j.entry.Key)
	if j.needsProbe() || warm && j.entry.Status != registry.Blocked {
		if err := j.host.Select(ctx, key); err != nil {
			return err
		}
	}
	if len(j.set) == 0 {
		return nil
	}
	own := os.Environ()
	// One that makes no plan, or fails to, will say so again.
	if plan, err := j.host.Plan(ctx, key, j.spec); err == nil {
		own = plan.Environ(own)
		if !plan.Reusable {
			plan.CloseFiles()
		}
	}
	j.spec.Env = environment(own, j.set)
	return nil
}

// needsProbe reports whether to try the method out first, which gives a better
// error when it does not work here. The default method works everywhere, and a
// blocked one says so itself.
func (j *job) needsProbe() bool {
	return j.entry.Key != registry.DefaultKey && j.entry.Status != registry.Blocked
}
