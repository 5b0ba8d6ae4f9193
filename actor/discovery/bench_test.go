package discovery_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/hatchery-spawn/hatchery/actor"
	"github.com/hatchery-spawn/hatchery/actor/discovery"
	"github.com/hatchery-spawn/hatchery/actor/discovery/address"
	"github.com/hatchery-spawn/hatchery/actor/portal"
)

// BenchmarkNames measures, over Unix sockets and within one process: to ask where
// somebody is, to get a portal to him, and to register.
func BenchmarkNames(b *testing.B) {
	dir, err := os.MkdirTemp("", "d")
	if err != nil {
		b.Fatal(err)
	}
	defer os.RemoveAll(dir)
	at, err := address.Unix(filepath.Join(dir, "registrar"))
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	e := discovery.RegistrarEntry(discovery.Config{})
	r := &actor.Actor{Name: "registrar", UID: "0", Bind: []string{at.String()}}
	if _, err := e.Setup(ctx, r); err != nil {
		b.Fatal(err)
	}
	over := make(chan error)
	go func() { over <- e.Run(ctx, r) }()
	defer func() { cancel(); <-over }()
	cfg := discovery.Config{Registrar: []address.Addr{at}}
	join := func(name string) *discovery.Member {
		joined := cfg
		joined.Portal.Serve = new(portal.Server)
		m, err := discovery.Join(ctx, &actor.Actor{Name: name, UID: name}, joined)
		if err != nil {
			b.Fatal(err)
		}
		return m
	}
	defer join("a").Close()
	c, err := discovery.NewClient(cfg)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()

	b.Run("find", func(b *testing.B) {
		for b.Loop() {
			if _, err := c.Find(ctx, "a"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("query", func(b *testing.B) {
		for b.Loop() {
			p, err := c.Query(ctx, "a")
			if err != nil {
				b.Fatal(err)
			}
			p.Close()
		}
	})
	b.Run("join and close", func(b *testing.B) {
		for b.Loop() {
			join("b").Close()
		}
	})
}
