package main

import (
	"strings"
	"testing"

	"github.com/hatchery-spawn/hatchery/backends"
	"github.com/hatchery-spawn/hatchery/registry"
)

// Every built-in method has a text, and every blocked one its analysis: a new
// one is not done without.
func TestEveryBuiltinIsExplained(t *testing.T) {
	for _, e := range backends.Builtin() {
		if len(longText(e)) < 100 {
			t.Errorf("%s (%s) has no text: want cmd/hatchery/methods/%[1]s.txt, or docs/analysis/%[1]s.md when it is blocked", e.Key, e.Status)
		}
	}
}

// What a plugin says of itself tells the terminal nothing, and does not pass
// for a line of ours.
func TestExplanationIsText(t *testing.T) {
	got := explanation(registry.Entry{Key: "x", Path: "/x", Summary: "a\x1b[2J\nsource  built-in", Reason: "b\r\x00"})
	if strings.ContainsAny(got, "\x1b\r\x00") || strings.Contains(got, "\nsource  built-in") {
		t.Errorf("got %q", got)
	}
}
