// Package channel is the parent channel of an actor: the socket between an
// actor and its parent that carries the handshake, cancellation, errors, and
// the ends of further connections. docs/protocol.md describes it byte by byte,
// for programs in other languages.
//
// A program does not use it directly: package actor is its child's half,
// package actor/parent its parent's, and package actor/portal makes calls over
// the connections that it hands on. What those three share is here:
//
//	ours, theirs, err := channel.Pair()
//	// theirs goes to the child; then, in a goroutine:
//	err = ours.Serve(func(m *channel.Message) error { … })
//	ours.End(err)
//
//	conn, err := ours.Connect(ctx, "grpc") // a socket of its own; the peer's Handle gets the other end
//
// # Guarantees
//
//   - A frame arrives whole and in order, or the channel ends.
//   - Whatever the peer sends, Serve does not panic, leaks no descriptor and
//     keeps no more than [MaxPayload] bytes: what is no frame, and JSON that is
//     none, end the channel with an error of kind spawn.ErrProtocol. Types that
//     are not known are answered if they are requests, and passed over if not.
//   - No call waits for a peer that does not read or answer for longer than its
//     context, and no send for longer than [SendTime].
//   - The death of the peer is noticed without a signal: it is io.EOF.
//
// # What this package is not
//
// It starts no processes, knows no tree of actors, and carries no calls: what is
// asked often, or is large, goes over a connection made by Connect. It links
// neither grpc nor package net, so that a process that waits for its first
// frame stays small.
package channel
