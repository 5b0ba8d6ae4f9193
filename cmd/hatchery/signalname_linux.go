package main

import (
	"fmt"
	"syscall"
)

// realtime is the first real-time signal, as the kernel counts them. A C
// library keeps the first two or three for itself and calls a later one
// SIGRTMIN.
const realtime = 32

func systemSignalName(s syscall.Signal) string {
	switch {
	case s == syscall.SIGSTKFLT:
		return "SIGSTKFLT"
	case s == syscall.SIGPWR:
		return "SIGPWR"
	case s >= realtime:
		return fmt.Sprintf("SIGRT%d", int(s)-realtime)
	}
	return numbered(s)
}
