package main

import (
	"os"
	"strings"
	"testing"

	"github.com/hatchery-spawn/hatchery/backends"
	"github.com/hatchery-spawn/hatchery/host"
)

func TestMain(m *testing.M) {
	host.Init(backends.Builtin()...)
	p := program()
	if code, ok := p.Run(); ok {
		os.Exit(code)
	}
	os.Exit(m.Run())
}

func TestBothAreFound(t *testing.T) {
	var out strings.Builder
	if err := run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	if want := "german: hallo Welt\nfrench: bonjour monde\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}
