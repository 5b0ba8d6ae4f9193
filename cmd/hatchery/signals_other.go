//go:build !unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

// catchSignals begins to catch what would end this process.
func catchSignals() <-chan os.Signal {
	c := make(chan os.Signal, 16)
	signal.Notify(c, os.Interrupt)
	return c
}

func ends(os.Signal) bool { return true }

func stops(os.Signal) bool { return false }

func fromKeyboard(os.Signal) bool { return true }

const wake = syscall.Signal(0)

func ignoredForChild() []syscall.Signal { return nil }

// halt stops a process, whatever it thinks of it.
const halt = syscall.Signal(0)
