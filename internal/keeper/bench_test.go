//go:build linux

package keeper

import (
	"context"
	"os/exec"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/launch"
	"github.com/hatchery-spawn/hatchery/internal/tinyelf"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// BenchmarkParts starts a tiny program in turn by os/exec, by a launch in this
// process, and by a keeper, and prints the median of each: what the keeper
// costs is the difference between the last two.
func BenchmarkParts(b *testing.B) {
	tiny := b.TempDir() + "/tiny"
	if err := tinyelf.Write(tiny, tinyelf.Exit(0)); err != nil {
		b.Fatal(err)
	}
	th, err := launch.NewThread()
	if err != nil {
		b.Fatal(err)
	}
	defer th.Close()
	c := newClient(b)
	plan := spawn.Standard(&spawn.Spec{})
	l := &Launch{Plan: encode(b, plan), Path: tiny, Args: []string{"tiny"}}
	exit := make(chan Exit, 1)
	parts := []struct {
		name string
		run  func() error
		took []time.Duration
	}{
		{name: "osexec", run: func() error { return (&exec.Cmd{Path: tiny, Env: []string{}}).Run() }},
		{name: "launch", run: func() error {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			child, err := th.Launch(&launch.Request{Plan: plan, Path: tiny, Args: l.Args, Null: 0})
			th.Done()
			if err != nil {
				return err
			}
			syscall.Close(child.Pidfd)
			_, err = syscall.Wait4(child.Pid, nil, 0, nil)
			return err
		}},
		{name: "keeper", run: func() error {
			s, err := c.Launch(context.Background(), l, func(e Exit) { exit <- e })
			if err != nil {
				return err
			}
			<-exit
			return syscall.Close(s.Pidfd)
		}},
	}
	for b.Loop() {
		for i := range parts {
			p := &parts[i]
			begin := time.Now()
			if err := p.run(); err != nil {
				b.Fatal(p.name, ": ", err)
			}
			p.took = append(p.took, time.Since(begin))
		}
	}
	for _, p := range parts {
		slices.Sort(p.took)
		b.ReportMetric(float64(p.took[len(p.took)/2].Microseconds()), "us/"+p.name)
	}
}
