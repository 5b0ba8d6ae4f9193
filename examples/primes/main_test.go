package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/hatchery-spawn/hatchery/actor"
	"github.com/hatchery-spawn/hatchery/actor/parent"
	"github.com/hatchery-spawn/hatchery/actor/portal"
	"github.com/hatchery-spawn/hatchery/examples/internal/roottest"
	"github.com/hatchery-spawn/hatchery/host"
)

func TestMain(m *testing.M) { os.Exit(roottest.Main(m, program())) }

func TestPrimes(t *testing.T) {
	for _, workers := range []int{1, 3} {
		var out strings.Builder
		if err := run(t.Context(), &out, workers, 100_000); err != nil {
			t.Fatal(err)
		}
		if want := "9592 primes below 100000, the last of them [99971 99989 99991]\n"; out.String() != want {
			t.Errorf("%d workers: got %q, want %q", workers, &out, want)
		}
	}
}

func TestCancellation(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := run(ctx, new(strings.Builder), 2, 1_000_000_000); !errors.Is(err, context.Canceled) {
		t.Errorf("%v: want the context's error", err)
	}
}

func TestAnErrorOfAWorker(t *testing.T) {
	err := parent.Run(t.Context(), host.Config{}, host.NurseryConfig{}, func(ctx context.Context, n *host.Nursery) error {
		a, err := parent.Start(ctx, n, parent.Spec{Name: "worker", Entry: "worker"})
		if err != nil {
			return err
		}
		p, err := portal.New(ctx, a.Channel(), portal.Config{})
		if err != nil {
			return err
		}
		_, err = portal.Call[[]int](ctx, p, "primes", Range{From: 2, To: 1})
		return err
	})
	var r *actor.RemoteError
	if !errors.As(err, &r) || !strings.Contains(err.Error(), "no range of numbers: {From:2 To:1}") {
		t.Errorf("%v: want what the worker has said", err)
	}
}
