// Package parent starts actors: children that have a name and a place in a tree,
// are told what to do, acknowledge that they are to end, and say how they ended.
// Package actor is the child's half.
//
// The smallest example, a root with one actor in the same program:
//
//	func main() {
//		host.Init(backends.Builtin()...)
//		program := actor.Program{Entries: map[string]actor.Entry{"count": {Run: count}}}
//		if code, ok := program.Run(); ok {
//			os.Exit(code)
//		}
//		err := parent.Run(ctx, host.Config{}, host.NurseryConfig{}, func(ctx context.Context, n *host.Nursery) error {
//			a, err := parent.Start(ctx, n, parent.Spec{Name: "counter", Entry: "count", Args: files})
//			if err != nil {
//				return err
//			}
//			if err := a.Wait(); err != nil {
//				return err
//			}
//			return a.Result(&total)
//		})
//	}
//
// An actor is a child of a nursery like any other: it does not outlive it, its
// failure cancels it, and it is stopped as all children are. An actor that starts
// actors does the same as the root, with [Spec].Parent set; each level may choose
// its own spawn method.
//
// # Guarantees
//
//   - [Start] returns when the actor has said that it is ready. One that ends
//     before that is an error with its true status and its last words, within a
//     second; one that says nothing is killed and reaped after Spec.Handshake.
//   - What makes no sense is refused before anything is started.
//   - An actor is asked to end over the channel. One that has not acknowledged
//     that within Stop.AskTime (0.5 s) is sent a signal, with [ErrTooSlow] in its
//     error; whatever it does, it is killed at the end of Stop.Grace, which begins
//     with the request.
//   - What an actor's entry point failed with is part of its child's error in
//     the nursery, as a [*Failure], once; errors.Is and errors.As find it there. One
//     that has merely ended because it was asked to is no failure; it says who asked.
//
// # What this package is not
//
// It makes no calls: see package actor/portal. It does not restart actors. And it
// gives no more trust to an actor than to any child: an actor runs as this user,
// unless its spawn method isolates it.
package parent
