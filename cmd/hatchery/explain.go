package main

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/hatchery-spawn/hatchery/docs"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/spf13/cobra"
)

// methodTexts says of each method that works what it does, needs and limits.
//
//go:embed methods/*.txt
var methodTexts embed.FS

func (a *app) explainCommand() *cobra.Command {
	var dirs []string
	cmd := &cobra.Command{
		Use:   "explain KEY",
		Short: "say what a method does, needs and limits, or why it is blocked",
		Long: `
Say what is known of a method. Of one that is known not to work this is the
reason, what to use instead, and the analysis with its evidence. A plugin binary
is started and asked.`,
		Example: `
  hatchery explain forkexec
  hatchery explain go_fork`,
		Args: oneKey,
		RunE: func(cmd *cobra.Command, args []string) error { return a.explain(cmd, dirs, args[0]) },
	}
	cmd.Flags().StringArrayVar(&dirs, backendDirFlag, nil, "look for plugin binaries in `DIR` first; may be repeated")
	cmd.ValidArgsFunction = completeKey(&dirs)
	return cmd
}

func (a *app) explain(cmd *cobra.Command, dirs []string, key string) error {
	m, err := findMethods(dirs)
	if err != nil {
		return err
	}
	e, err := m.lookup(key)
	if err != nil {
		return err
	}
	if !e.Builtin() {
		if e, err = ask(cmd, m, key); err != nil {
			return err
		}
	}
	_, err = io.WriteString(a.stdout, explanation(e))
	return err
}

// ask starts a plugin binary for what it says of itself.
func ask(cmd *cobra.Command, m *methods, key string) (registry.Entry, error) {
	h, err := host.Open(host.Config{Registry: m.registry})
	if err != nil {
		return registry.Entry{}, err
	}
	defer h.Close()
	return h.Describe(cmd.Context(), key)
}

// explanation is the page about a method.
func explanation(e registry.Entry) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n\n", e.Key, oneLine(e.Summary))
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-13s%s\n", name, oneLine(value))
		}
	}
	row("status", statusOf(e))
	row("source", e.Source())
	row("reason", e.Reason)
	row("instead", e.Alternative)
	row("scenario", e.Scenario)
	row("analysis", e.Analysis)
	// What a plugin binary says is all there is of it here: a text of ours
	// under the same key is about another method.
	if e.Builtin() {
		if text := longText(e); text != "" {
			fmt.Fprintf(&b, "\n%s\n", text)
		}
	}
	return b.String()
}

// longText returns the text about a method, if there is one.
func longText(e registry.Entry) string {
	files, name := methodTexts, "methods/"+string(e.Key)+".txt"
	if e.Status == registry.Blocked {
		files, name = docs.Analyses, "analysis/"+string(e.Key)+".md"
	}
	text, err := fs.ReadFile(files, name)
	if errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// oneKey wants exactly one argument.
func oneKey(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usage(cmd, "want one key, got %d arguments: hatchery %s", len(args), cmd.Use)
	}
	return nil
}
