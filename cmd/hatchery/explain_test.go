package main

import (
	"testing"

	"github.com/hatchery-spawn/hatchery/backends"
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
