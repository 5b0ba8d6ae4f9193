package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/hatchery-spawn/hatchery/actor"
	"github.com/hatchery-spawn/hatchery/actor/discovery"
	"github.com/hatchery-spawn/hatchery/actor/portal"
)

// program is what the processes of this program can be, beside the root.
func program() actor.Program {
	return actor.Program{
		Errors: discovery.Errors(),
		Entries: map[string]actor.Entry{
			"registrar":  discovery.RegistrarEntry(discovery.Config{}),
			"translator": translator(),
			"client":     {Run: client},
		},
	}
}

// translator serves the words that it is given as arguments, "word=translation".
func translator() actor.Entry {
	var member *discovery.Member
	return actor.Entry{
		Setup: func(ctx context.Context, a *actor.Actor) ([]string, error) {
			words := map[string]string{}
			for _, arg := range a.Args {
				word, translation, _ := strings.Cut(arg, "=")
				words[word] = translation
			}
			var s portal.Server
			portal.Handle(&s, "translate", func(_ context.Context, word string) (string, error) { return words[word], nil })
			var err error
			member, err = discovery.Join(ctx, a, discovery.Config{Portal: portal.Config{Serve: &s}})
			if err != nil {
				return nil, err
			}
			return member.Addresses(), nil
		},
		Run: func(ctx context.Context, a *actor.Actor) error {
			<-ctx.Done()
			member.Close()
			return context.Cause(ctx)
		},
	}
}

// client has the last two of its arguments translated by those whose names are the
// first two.
func client(ctx context.Context, a *actor.Actor) error {
	cfg, err := discovery.ConfigOf(a)
	if err != nil {
		return err
	}
	names, err := discovery.NewClient(cfg)
	if err != nil {
		return err
	}
	defer names.Close()
	var said []string
	for _, name := range a.Args[:2] {
		p, err := names.Wait(ctx, name)
		if err != nil {
			return err
		}
		defer p.Close()
		var words []string
		for _, word := range a.Args[2:] {
			translation, err := portal.Call[string](ctx, p, "translate", word)
			if err != nil {
				return err
			}
			words = append(words, translation)
		}
		said = append(said, fmt.Sprintf("%s: %s", name, strings.Join(words, " ")))
	}
	return a.Return(said)
}
