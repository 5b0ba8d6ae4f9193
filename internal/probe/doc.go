// Package probe finds out whether a plan works on this machine, by executing it
// in a child of this process as the keeper would.
//
//	err := probe.Try(plan) // nil, or the step that failed
//
// What becomes of the plan is a program of a few bytes that ends at once. It is
// for backends that say what they need: a version number says little about a
// kernel, and nothing about what forbids its use.
package probe
