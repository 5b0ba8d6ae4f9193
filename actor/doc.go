// Package actor is the child's half of a program that talks back: one that has a
// name and a place in a tree, is told what to do, takes part in cancellation, and
// says how it ended. Package actor/parent starts such programs.
//
// The smallest example, the whole of a worker:
//
//	func main() {
//		p := actor.Program{Entries: map[string]actor.Entry{
//			"count": {Run: func(ctx context.Context, a *actor.Actor) error {
//				n, err := count(ctx, a.Args)
//				if err != nil {
//					return err // the parent gets it: errors.Is and errors.As work there
//				}
//				return a.Return(n)
//			}},
//		}}
//		os.Exit(p.Main())
//	}
//
// A program that is both, root of a tree and the actors in it, begins with
//
//	if code, ok := p.Run(); ok {
//		os.Exit(code)
//	}
//
// # Guarantees
//
//   - The context of an entry point ends when the actor is canceled: by its
//     parent, by SIGTERM, by SIGINT as its parent has decided, and by the death
//     of its parent, which is noticed without any signal. Its cause is a
//     [*Canceled] that says who asked.
//   - An actor whose parent is gone ends within a second, whether or not the
//     entry point returns; and at once when it gets SIGINT or SIGTERM then.
//   - How the entry point ended is said to the parent before the process exits: an
//     error keeps its text, type, stack and what it wraps; a panic is an error
//     with its stack, and ends the process as panics do.
//   - Signal handlers are the child's own, set up when it starts.
//
// # What this package is not
//
// It starts nothing, and links neither grpc nor package host: a worker that waits
// to be told what to do takes well under a megabyte. An actor that has children
// opens a host of its own, see package actor/parent; calls are package
// actor/portal. Packages that the program links are initialised in every worker,
// so keep the program of a small worker apart from that of a large root.
//
// On systems that do not pass descriptors over Unix sockets there are no actors.
package actor
