package main

import (
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"

	"golang.org/x/term"
)

// page writes a text to standard output, through a pager when that is a terminal.
func (a *app) page(text string) error {
	if term.IsTerminal(int(a.stdout.Fd())) {
		if cmd := pager(os.LookupEnv, exec.LookPath); cmd != nil {
			cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(text), a.stdout, a.stderr
			// Ctrl-C is a key of the pager's, and goes to both.
			interrupts := make(chan os.Signal, 1)
			signal.Notify(interrupts, os.Interrupt)
			defer signal.Stop(interrupts)
			if cmd.Start() == nil {
				// It may end before it has read everything, and say so by its
				// exit code: that was whoever reads.
				cmd.Wait()
				return nil
			}
		}
	}
	_, err := io.WriteString(a.stdout, text)
	return err
}

// pager returns the command that shows a text on a terminal: $PAGER, a line for the
// shell, or else less, so that a text which fits is just printed. It is nil when there
// is none, or none is wanted.
func pager(env func(string) (string, bool), look func(string) (string, error)) *exec.Cmd {
	if line, ok := env("PAGER"); ok {
		if line = strings.TrimSpace(line); line == "" || line == "cat" {
			return nil
		}
		return exec.Command("sh", "-c", line)
	}
	path, err := look("less")
	if err != nil {
		return nil
	}
	return exec.Command(path, "-FRX")
}
