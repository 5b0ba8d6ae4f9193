package main

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/hatchery-spawn/hatchery/examples/internal/roottest"
)

func TestMain(m *testing.M) { os.Exit(roottest.Main(m, program())) }

func TestBothGetAll(t *testing.T) {
	var out strings.Builder
	if err := run(t.Context(), &out, 100); err != nil {
		t.Fatal(err)
	}
	got := slices.Sorted(strings.Lines(out.String()))
	if want := []string{"fast: 100 numbers, in all 5050\n", "slow: 100 numbers, in all 5050\n"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
