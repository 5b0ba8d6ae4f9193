// Package early serves a planner before its program is initialised.
//
//	if early.Serve(plan.Make) { // in an initialiser
//		syscall.Exit(0)
//	}
//	// the rest of the program is wanted
//
// The program of a built-in method links gRPC, whose initialisation takes longer
// than all else in the life of a plugin that is asked for one plan: a process
// that has been executed is here after half of what it takes to main. A plan
// needs nothing but the lane.
//
// The host offers it, by a first frame on the lane that is there before the
// process is. A process that finds that frame says hello, which is its
// description, and answers requests for plans one after the other. For anything
// else it returns, with the request still on the lane: the program goes on to
// main and serves the method there, its gRPC control connection included.
//
// # What it is not
//
// A way to have another backend: the same function makes the plans in main. And
// nothing for backends that hold resources, spawn by themselves, or take their
// time: there is no other request while one is answered, no cancelling, no
// close. Linux only; elsewhere Serve returns at once.
package early
