//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

// catchSignals begins to catch what would end this process, and what it passes
// on, for as long as it lives. What is ignored stays so: nohup, and shells that
// start a job in the background, mean it.
//
// SIGWINCH is not among them: the kernel sends it to the child itself.
func catchSignals() <-chan os.Signal {
	c := make(chan os.Signal, 16)
	for _, s := range []os.Signal{
		syscall.SIGINT, syscall.SIGQUIT, syscall.SIGHUP, syscall.SIGTERM,
		syscall.SIGUSR1, syscall.SIGUSR2,
	} {
		if !signal.Ignored(s) {
			signal.Notify(c, s)
		}
	}
	catchStop(c)
	return c
}

// ends reports whether sig asks this process to end, rather than being a
// message for the child.
func ends(sig os.Signal) bool {
	return sig != syscall.SIGUSR1 && sig != syscall.SIGUSR2 && sig != syscall.SIGTSTP
}

// stops reports whether sig asks this process to stop.
func stops(sig os.Signal) bool { return sig == syscall.SIGTSTP }

// fromKeyboard reports whether sig is one that a terminal sends to its whole
// foreground group when a key is pressed.
func fromKeyboard(sig os.Signal) bool { return sig == syscall.SIGINT || sig == syscall.SIGQUIT }

// wake lets a process that is stopped see the signal it was sent.
const wake = syscall.SIGCONT

// ignoredForChild lists what the child ignores because this process does:
// SIGHUP, for nohup. Everything else that is ignored here is not the child's
// affair.
func ignoredForChild() []syscall.Signal {
	if signal.Ignored(syscall.SIGHUP) {
		return []syscall.Signal{syscall.SIGHUP}
	}
	return nil
}

// halt stops a process, whatever it thinks of it.
const halt = syscall.SIGSTOP
