package main

import (
	"os"
	"strings"
	"testing"

	"github.com/hatchery-spawn/hatchery/examples/internal/roottest"
)

func TestMain(m *testing.M) { os.Exit(roottest.Main(m, program())) }

func TestBothAreFound(t *testing.T) {
	var out strings.Builder
	if err := run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	if want := "german: hallo Welt\nfrench: bonjour monde\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}
