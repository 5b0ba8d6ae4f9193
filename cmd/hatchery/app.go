package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// run is one run of the command, with the descriptors that it was given and
// that its child gets. It returns the exit code.
func run(args []string, stdin, stdout, stderr *os.File) int {
	a := &app{began: time.Now(), stdin: stdin, stdout: stdout, stderr: stderr}
	root := a.root()
	help := &checkedWriter{w: stdout}
	root.SetOut(help)
	root.SetArgs(args)
	err := root.ExecuteContext(context.Background())
	if err == nil {
		err = help.err
	}
	return a.finish(err)
}

// A checkedWriter remembers that it failed: nobody looks at what the printing of
// a help or of --version returns.
type checkedWriter struct {
	w   io.Writer
	err error
}

func (c *checkedWriter) Write(b []byte) (n int, err error) {
	if n, err = c.w.Write(b); err != nil && c.err == nil {
		c.err = err
	}
	return n, err
}

// An app is what a run has from whoever started it.
type app struct {
	stdin, stdout, stderr *os.File
	began                 time.Time
}

// finish says what went wrong, if anything did, and returns the exit code.
func (a *app) finish(err error) int {
	if err == nil {
		return 0
	}
	f := failureOf(err)
	if f.err != nil {
		a.say("%v", f.err)
	}
	if f.hint != "" {
		a.say("%s", f.hint)
	}
	return f.code
}

// say writes one line to standard error. Nothing is said while a child is
// running: what stands there then is the child's.
func (a *app) say(format string, args ...any) {
	fmt.Fprintf(a.stderr, "hatchery: %s\n", oneLine(fmt.Sprintf(format, args...)))
}

// oneLine returns a text, which a plugin may have a part in, as a line that a
// terminal shows and does not obey.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || strconv.IsPrint(r) {
			return r
		}
		return utf8.RuneError
	}, strings.ReplaceAll(s, "\n", "; "))
}

// plain returns s as it can be shown: a name that could tell a terminal what to
// do is quoted.
func plain(s string) string {
	for _, r := range s {
		if !strconv.IsPrint(r) {
			return strconv.Quote(s)
		}
	}
	return s
}

// root builds the commands.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "hatchery",
		Short:         "start child processes by exchangeable methods, and never lose one",
		SilenceErrors: true, // finish says them, in its own form
		SilenceUsage:  true,
		Args:          unknownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return usage(cmd, "no command given: want %s", commandNames(cmd))
		},
		SuggestionsMinimumDistance: 2,
		CompletionOptions:          cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	root.Version = versionLine() // for --version
	root.SetVersionTemplate("{{.Version}}")
	root.SetHelpCommand(helpCommand())
	root.SetErr(a.stderr)
	root.SetHelpFunc(a.help)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usage(cmd, "%v", err) })
	root.AddCommand(a.runCommand(), a.planCommand(), a.adoptCommand(), a.backendsCommand(), a.backendCommand(), a.explainCommand(),
		a.probeCommand(), a.benchCommand(), a.endpointsCommand(), a.dumpCommand(), a.reapCommand(), a.smoketestCommand(), a.completionCommand(), a.versionCommand(), a.upCommand())
	return root
}

func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	near := ""
	if s := cmd.SuggestionsFor(args[0]); len(s) > 0 {
		near = fmt.Sprintf("did you mean %s? ", s[0])
	}
	return usage(cmd, "unknown command %q: %swant %s", args[0], near, commandNames(cmd))
}

// commandNames lists the commands as a sentence does.
func commandNames(root *cobra.Command) string {
	var names []string
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() && c.Name() != "help" {
			names = append(names, c.Name())
		}
	}
	slices.Sort(names)
	return join(names, "or")
}

// join lists words as a sentence does: "a, b or c".
func join(words []string, last string) string {
	text := ""
	for i, w := range words {
		switch {
		case i > 0 && i == len(words)-1:
			text += " " + last + " "
		case i > 0:
			text += ", "
		}
		text += w
	}
	return text
}

// noArgs refuses arguments.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage(cmd, "%s takes no arguments: %q", cmd.Name(), args[0])
	}
	return nil
}
