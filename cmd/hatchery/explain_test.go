package main

import (
	"strings"
	"testing"

	"github.com/hatchery-spawn/hatchery/backends"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/sdk/backendtest"
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

// What children can have is said of each method that works, as far as it is known, and
// each ability is explained.
func TestClaimsAreExplained(t *testing.T) {
	for _, a := range backendtest.Abilities() {
		if a.About() == "" {
			t.Errorf("nothing is said of the ability %s", a)
		}
		if got := explanation(registry.Entry{Key: "x", Path: "/x", Status: registry.Stable}); !strings.Contains(got, string(a)) {
			t.Errorf("a method that claims everything does not claim %s:\n%s", a, got)
		}
	}
	for name, tt := range map[string]struct {
		entry     registry.Entry
		want, not string
	}{
		"some":      {registry.Entry{Status: registry.Stable, Path: "/x", Claims: []string{"umask", "wings"}}, "  and not:      programs, local", "wings"},
		"none":      {registry.Entry{Status: registry.Stable, Path: "/x", Claims: []string{"none"}}, "claims       nothing of: programs", "can have"},
		"blocked":   {registry.Entry{Status: registry.Blocked}, "", "can have"},
		"not asked": {registry.Entry{Path: "/x"}, "", "can have"},
	} {
		if got := explanation(tt.entry); !strings.Contains(got, tt.want) || strings.Contains(got, tt.not) {
			t.Errorf("%s: got\n%s\nwant %q in it and no %q", name, got, tt.want, tt.not)
		}
	}
}
