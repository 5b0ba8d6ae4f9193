//go:build unix

package faultplugin

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hatchery-spawn/hatchery/registry"
)

// A Stage says where a fault shows.
type Stage string

// The stages.
const (
	// Works: a child can be started and ends as it should.
	Works Stage = "works"
	// AtStart: the plugin cannot be started. The error is of PhaseStart.
	AtStart Stage = "start"
	// AtSpawn: the plugin is started, and a spawn fails.
	AtSpawn Stage = "spawn"
	// AtExit: a child is started, and its exit status is lost.
	AtExit Stage = "exit"
)

// A Mode is one way to be broken.
type Mode struct {
	// Name tells the mode from others.
	Name string
	// Explain says what the plugin does, in a sentence.
	Explain string
	// Stage says where it shows.
	Stage Stage
	// Kind is what the error matches; nil if there is none, or none of a
	// kind.
	Kind error
	// Says are parts of the error's text.
	Says []string

	run func(key string) int // the process's life; returns its exit code
}

// prefix is what the keys of all modes begin with.
const prefix = "fault_"

// Key is the spawn method that the mode serves.
func (m Mode) Key() registry.SpawnMethodKey { return registry.SpawnMethodKey(prefix + m.Name) }

// Entry is the mode as a built-in method.
func (m Mode) Entry() registry.Entry {
	return registry.Entry{
		Key: m.Key(), Status: registry.Experimental, Summary: m.Explain,
		Serve: func() int { return m.run(string(m.Key())) },
	}
}

// Modes returns all modes, those that show early first.
func Modes() []Mode {
	return slices.Concat(processModes(), outputModes(), handshakeModes(), controlModes(), planModes(), laneModes(), remoteModes(), stopModes())
}

// Entries returns all modes as built-in methods.
func Entries() []registry.Entry {
	var entries []registry.Entry
	for _, m := range Modes() {
		entries = append(entries, m.Entry())
	}
	return entries
}

// Main is the plugin of the mode that the program's file name says, and
// returns its exit code.
func Main(argv0 string) int {
	name, ok := strings.CutPrefix(filepath.Base(argv0), "spawn-backend-"+prefix)
	for _, m := range Modes() {
		if ok && m.Name == name {
			return m.run(string(m.Key()))
		}
	}
	fmt.Fprintln(os.Stderr, "the file name must be spawn-backend-"+prefix+"MODE; the modes are:")
	for _, m := range Modes() {
		fmt.Fprintf(os.Stderr, "%-20s %s\n", m.Name, m.Explain)
	}
	return 2
}
