package main

import (
	"io"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/spawn"
	"github.com/spf13/cobra"
)

// A job is what run and plan make of a request: what to start, by which
// method, and the host that does it.
type job struct {
	spec  spawn.Spec
	entry registry.Entry
	host  *host.Host
	log   io.Closer
	began time.Time // when the host was asked for
}

// open makes a job. Whoever has it closes it.
func (a *app) open(cmd *cobra.Command, r *request, args []string) (*job, error) {
	j := new(job)
	var err error
	if j.spec, err = a.spec(cmd, r, args); err != nil {
		return nil, err
	}
	m, err := findMethods(r.backendDirs)
	if err != nil {
		return nil, err
	}
	if j.entry, err = a.choose(cmd, m, r.backend); err != nil {
		return nil, err
	}
	cfg := host.Config{Registry: m.registry, Method: j.entry.Key, Timeouts: host.Timeouts{Grace: r.grace.orDefault()}}
	if j.log, err = r.log(cmd, &cfg); err != nil {
		return nil, err
	}
	j.began = time.Now()
	if j.host, err = host.Open(cfg); err != nil {
		j.log.Close()
		return nil, err
	}
	return j, nil
}

// close ends everything the host has. The error names what could not be ended.
func (j *job) close() error {
	err := j.host.Close()
	j.log.Close()
	return err
}

// needsProbe reports whether to try the method out first, which gives a better
// error when it does not work here. The default method works everywhere, and a
// blocked one says so itself.
func (j *job) needsProbe() bool {
	return j.entry.Key != registry.DefaultKey && j.entry.Status != registry.Blocked
}
