// Package discovery lets actors find each other by name. An actor called the
// registrar knows which name is at which addresses; the others tell it theirs,
// and ask it for a portal to somebody.
//
// The smallest example. The registrar is an entry point like any other:
//
//	Entries: map[string]actor.Entry{
//		"registrar": discovery.RegistrarEntry(discovery.Config{}),
//	}
//
// An actor that others find joins when it is set up:
//
//	Setup: func(ctx context.Context, a *actor.Actor) ([]string, error) {
//		member, err = discovery.Join(ctx, a, discovery.Config{Portal: portal.Config{Serve: &functions}})
//		if err != nil {
//			return nil, err
//		}
//		return member.Addresses(), nil
//	}
//
// and who wants to talk to it asks for it:
//
//	cfg, err := discovery.ConfigOf(a)
//	…
//	client, err := discovery.NewClient(cfg)
//	…
//	p, err := client.Wait(ctx, "logger")
//	…
//	n, err := portal.Call[int](ctx, p, "count", "a line")
//
// All three are told the registrar's addresses by their parents, in
// parent.Spec.Registrar, which is passed on from level to level.
//
// # Guarantees
//
//   - A registration lasts as long as the actor's connection to the registrar: that
//     of a process that has ended is gone at once, however it ended. An actor
//     registers again, by itself, when the registrar was started again.
//   - A registrar believes what it has seen: before it registers an actor, and before
//     it strikes one off that somebody has not found, it looks at the address.
//   - An address belongs to one actor: a new one that is there takes it from the
//     old. Names may be had by several. Names are looked up, never UIDs.
//   - Nobody is trusted before he has said who he is, within [MeetTime]: who is at
//     an actor's address and is not that actor is not called. Every wait is bounded,
//     or ends with its context.
//   - On this host, actors talk to processes of the same user, and root, alone.
//     Beyond, each side needs a certificate; without Config.TLS there is no beyond.
//   - Unix sockets lie in the private runtime folder of the parent's host, which
//     removes them when their owner is gone.
//
// # What this package is not
//
// It is no database: nothing outlives the registrar but what actors tell it again.
// It elects nobody: several registrars know nothing of each other, actors register
// with each of them. It starts nothing: that is package actor/parent.
package discovery
