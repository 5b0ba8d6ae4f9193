// Package pythonactor has an actor that is not written in Go: actor.py, made from
// docs/protocol.md and Python's standard library. The test starts it as any other
// actor is started, with the path of the interpreter for a program:
//
//	parent.Start(ctx, n, parent.Spec{
//		Name: "counter", Entry: "letters", Args: words,
//		Program: spawn.Spec{Path: "python3", Args: []string{"python3", "actor.py"}},
//	})
package pythonactor
