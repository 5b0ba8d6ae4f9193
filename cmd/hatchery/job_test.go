//go:build unix

package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// aJob is a program that says what happens to it: that it is up, that it goes
// on after it was stopped, and that it was interrupted, which ends it.
//
// A shell script would not do. One that starts something can be stopped in the
// middle of a vfork, and hangs; one that reads the terminal can take, while it
// is being stopped, what was typed for the shell.
func aJob() {
	c := make(chan os.Signal, 8)
	signal.Notify(c, syscall.SIGCONT, syscall.SIGINT)
	fmt.Println("job: up")
	for sig := range c {
		if sig == syscall.SIGINT {
			fmt.Println("job: got it")
			os.Exit(6)
		}
		fmt.Println("job: woken")
	}
}
