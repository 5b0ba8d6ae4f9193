// Package wire is how host and plugin talk. It has both ends of both
// connections, and is the only package that knows go-plugin, gRPC, protobuf
// and hclog: none of their types leaves it.
//
// The control connection is go-plugin's gRPC. The host dials:
//
//	client, err := wire.Dial(ctx, wire.ClientConfig{Key: "forkexec", Start: start, SocketDir: dir})
//	…
//	err = client.Probe(ctx)
//	err = client.Close(ctx, grace)
//
// and the plugin serves it until it is told to stop:
//
//	err := wire.Serve(ctx, wire.ServeConfig{Control: control, Handshake: os.NewFile(wire.HandshakeFD, "handshake")})
//
// The plan lane is an inherited socket over which the real work goes, Specs
// one way and plans the other: [NewPlanner] is the host's end, [ServeLane] the
// plugin's.
//
// # Guarantees
//
// Everything is bounded. Dial takes StartTimeout at most, and a fifth of a
// second from the moment its context ends; a call has a deadline even if its
// caller set none; Close ends however the plugin behaves. go-plugin alone
// gives none of that: its own way of stopping a plugin waits for ever for one
// that is stopped (SIGSTOP), so it is only called once the process has gone.
//
// Errors keep their identity. Every failure is a [*spawn.Error]; one that the
// plugin returned travels as itself, in one place ([spawn.Error] as a detail
// of the gRPC status), and what gRPC itself reports is translated: a plugin
// that is too old to know a call is ErrVersion, never ErrNotImplemented, which
// means that a method is known not to work.
//
// The process at the other end of the socket is the one that was started: its
// credentials are checked on Linux, and the socket is unlinked as soon as the
// only connection it ever serves is made.
//
// # What this package is not
//
// It starts no process: the caller of Dial does, and gives it as a [Process].
// It knows nothing of restarts, registries or children. No panic is recovered
// here, on either side: the process is the boundary of faults.
package wire
