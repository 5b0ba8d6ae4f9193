// Package forkserver is the method "forkserver": children come from processes that
// are ready, with the program loaded and initialised.
//
//	hatchery run --spawn-backend=forkserver --opt kind=pool --opt min=2 -- ./worker job
//
// To start a process is cheap; to get it ready is not. What it takes for that, the
// imports of an interpreter or the initialisation of a large program, is done
// once or ahead of time, by a process of a template, and the child comes into being
// by being told what to be. There are two kinds:
//
//   - pool: processes of the program are started ahead and wait. Each becomes one
//     child. The program calls actor.Park, first of all: Go programs, which cannot
//     fork, are had in this way.
//   - fork: one process of the program makes the children by fork. The program
//     speaks the protocol in docs/protocol.md: a small program in C, or an
//     interpreter with a script that does.
//
// A program that was linked with actor.Park is recognised, and a Python program is
// served by an interpreter that has modules loaded (package python). One that supports
// neither is started as forkexec does it; Process.Warm and the report of hatchery
// run say which it was, and the option require=warm makes that an error.
//
// The processes that are ready are the keeper's children, and end with it; the
// plugin that serves this method has none and makes plans alone. docs/forkserver.md
// says what a child has from its template that it would not have otherwise.
//
// # What it is not
//
// It isolates nothing: the child has every right of the host. It makes children
// ready sooner, not cheaper: for each there is still one process to start, if not
// now.
package forkserver
