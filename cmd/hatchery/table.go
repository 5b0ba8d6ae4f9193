package main

import (
	"encoding/json"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/registry"
)

// A listing is backends --json. It says everything, with --all and without.
type listing struct {
	Backends []listed  `json:"backends"` // sorted by key
	Searched []string  `json:"searched"` // folders, the first of which has precedence
	Skipped  []skipped `json:"skipped"`  // what lies there and is no backend
}

type listed struct {
	Key      string   `json:"key"`
	Status   string   `json:"status"`  // stable, experimental, blocked; unknown for a binary without a lock file, as it is not asked
	Source   string   `json:"source"`  // built-in, or the path of the binary
	Summary  string   `json:"summary"` // empty when it is not known
	Default  bool     `json:"default"`
	Pin      string   `json:"pin,omitempty"`       // the checksum that the binary must have
	PinnedBy string   `json:"pinned_by,omitempty"` // FILE:LINE of the lock file
	Blocked  *blocked `json:"blocked,omitempty"`
}

type blocked struct {
	Reason      string `json:"reason"`
	Alternative string `json:"alternative"`
	Analysis    string `json:"analysis"`
	Scenario    string `json:"scenario"`
}

type skipped struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

func list(m *methods) listing {
	l := listing{Backends: []listed{}, Searched: m.dirs, Skipped: []skipped{}}
	for _, e := range m.registry.Entries() {
		l.Backends = append(l.Backends, listEntry(e))
	}
	for _, s := range m.skipped {
		l.Skipped = append(l.Skipped, skippedOf(s))
	}
	return l
}

func listEntry(e registry.Entry) listed {
	out := listed{
		Key: string(e.Key), Status: statusOf(e), Source: e.Source(), Summary: e.Summary,
		Default: e.Key == registry.DefaultKey, Pin: string(e.Pin), PinnedBy: e.PinnedBy,
	}
	if e.Status == registry.Blocked {
		out.Blocked = &blocked{e.Reason, e.Alternative, e.Analysis, e.Scenario}
	}
	return out
}

// statusOf returns the status for people: that of a binary is not known until
// it is asked.
func statusOf(e registry.Entry) string {
	if e.Status == "" {
		return "unknown"
	}
	return string(e.Status)
}

func skippedOf(s host.Skipped) skipped { return skipped{s.Path, s.Reason} }

// writeJSON writes a value to standard output, indented.
func (a *app) writeJSON(v any) error {
	e := json.NewEncoder(a.stdout)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
