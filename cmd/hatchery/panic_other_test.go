//go:build unix && !linux

package main

// aPanic is a program of tests that need a terminal for the child.
func aPanic() {}

// actorMain is a program of tests that look for processes in /proc.
func actorMain() {}

// aWorker is one of tests for Linux.
func aWorker() {}

// aSquatter is one of tests for Linux.
func aSquatter() {}
