//go:build !linux

package main

import "os"

// catchStop does nothing: SIGTSTP stops this process, as it stops the child in
// the same group.
func catchStop(chan<- os.Signal) {}

func isStopped(pid int) bool { return false }

func stopSelf() {}
