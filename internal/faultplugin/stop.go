//go:build unix

package faultplugin

import (
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// stopModes do their work and make trouble afterwards.
func stopModes() []Mode {
	works := func(name, explain string, p plugin, before func()) Mode {
		return Mode{Name: name, Explain: explain, Stage: Works, run: func(key string) int {
			if before != nil {
				before()
			}
			p.key = key
			return p.serve()
		}}
	}
	return []Mode{
		works("shutdown_hang", "does not answer when it is told to end", plugin{shutdown: func() { hang() }}, nil),
		works("shutdown_stop", "stops itself when it is told to end", plugin{shutdown: stopMyself}, nil),
		works("shutdown_panic", "panics when it is told to end", plugin{shutdown: func() { panic("the well is dry") }}, nil),
		works("stubborn", "ignores every signal that can be ignored, and does not answer when it is told to end",
			plugin{shutdown: func() { hang() }}, func() { signal.Ignore() }),
		works("stop_later", "stops itself once it has made a plan", plugin{plan: stopAfterPlan()}, nil),
		works("descendant", "has a descendant that holds all its descriptors", plugin{}, func() { daemon(false) }),
		works("daemon", "has a daemon that holds all its descriptors and ignores SIGHUP", plugin{}, func() {
			signal.Ignore(syscall.SIGHUP)
			daemon(true)
		}),
	}
}

// stopAfterPlan returns a planner that stops its process when the first answer
// is on its way.
func stopAfterPlan() func(*spawn.Spec) (*spawn.Plan, error) {
	var once sync.Once
	return func(s *spawn.Spec) (*spawn.Plan, error) {
		p := spawn.Standard(s)
		p.Reusable = false // so that the next spawn asks again
		once.Do(func() {
			r, w, err := os.Pipe()
			if err != nil {
				return
			}
			p.Files = []*os.File{w} // closed when the plan was sent
			go func() {
				r.Read(make([]byte, 1))
				stopMyself()
			}()
		})
		return p, nil
	}
}
