// Package peer times what else there is that has Python children ready ahead: the
// forkserver of Python's own package multiprocessing. Benchmarks compare with it, so
// it measures by the clock of that program, and nothing of what this side does is in
// the number.
package peer
