package main

import (
	"slices"
	"testing"
	"time"
)

func TestEnvironment(t *testing.T) {
	own := []string{"A=1", "B=2", "AB=3", "noequals"}
	for _, c := range []struct {
		name string
		own  []string
		set  []string
		want []string
	}{
		{"nothing", own, nil, own},
		{"replaced in its place", own, []string{"A=9"}, []string{"A=9", "B=2", "AB=3", "noequals"}},
		{"added at the end", own, []string{"C=", "D==x"}, []string{"A=1", "B=2", "AB=3", "noequals", "C=", "D==x"}},
		{"the last one counts", own, []string{"C=1", "B=8", "C=2"}, []string{"A=1", "B=8", "AB=3", "noequals", "C=2"}},
		{"alone", nil, []string{"B=8"}, []string{"B=8"}},
		{"empty, not nil", nil, nil, []string{}},
	} {
		got := environment(c.own, c.set)
		if !slices.Equal(got, c.want) || got == nil {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if want := []string{"A=1", "B=2", "AB=3", "noequals"}; !slices.Equal(own, want) {
		t.Errorf("the list that was given is now %q", own)
	}
	twice := environment([]string{"A=1", "B=2", "A=3"}, []string{"A=9"})
	if want := []string{"A=9", "B=2"}; !slices.Equal(twice, want) {
		t.Errorf("one that was there twice: %q, want %q", twice, want)
	}
}

func TestLimit(t *testing.T) {
	for s, want := range map[string]time.Duration{"0": 1, "0s": 1, "1m30s": 90 * time.Second} {
		var l limit
		if err := l.Set(s); err != nil || l.orDefault() != want {
			t.Errorf("%q: %v, %v; want %v", s, l.orDefault(), err, want)
		}
	}
	var l limit
	for _, s := range []string{"", "5", "-1s", "soon", "1e9h"} {
		if err := l.Set(s); err == nil {
			t.Errorf("%q is taken for %v", s, l.value)
		}
	}
	if l.given || l.orDefault() != 0 {
		t.Errorf("a limit that was not given is %v", l.orDefault())
	}
}

func TestPlain(t *testing.T) {
	for s, want := range map[string]string{"/a b/ü": "/a b/ü", "x\x1b[2J": `"x\x1b[2J"`, "a\nb": `"a\nb"`} {
		if got := plain(s); got != want {
			t.Errorf("%q is shown as %s, want %s", s, got, want)
		}
	}
}
