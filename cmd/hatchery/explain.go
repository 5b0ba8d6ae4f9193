package main

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/hatchery-spawn/hatchery/docs"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/optionschema"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/sdk/backendtest"
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
is started and asked.

There are analyses of other dead ends, and of the hangs that Hatchery was built
against: of each scenario of hatchery smoketest --list the word above it is one.

On a terminal it is shown by $PAGER, or by less.`,
		Example: `
  hatchery explain forkexec
  hatchery explain go_fork
  hatchery explain full_pipe`,
		Args: oneKey,
		RunE: func(cmd *cobra.Command, args []string) error { return a.explain(cmd, dirs, args[0]) },
	}
	cmd.Flags().StringArrayVar(&dirs, backendDirFlag, nil, "look for plugin binaries in `DIR` first; may be repeated")
	cmd.ValidArgsFunction = completeTopic(&dirs)
	return cmd
}

func (a *app) explain(cmd *cobra.Command, dirs []string, key string) error {
	m, err := findMethods(dirs)
	if err != nil {
		return err
	}
	e, err := m.lookup(key)
	if err != nil {
		// What is no method may be a dead end of another kind.
		if text := analysis(key); text != "" {
			return a.page(text + "\n")
		}
		return err
	}
	if !e.Builtin() {
		if e, err = ask(cmd, m, key); err != nil {
			return err
		}
	}
	return a.page(explanation(e))
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
	b.WriteString(optionsOf(e))
	b.WriteString(claimsOf(e))
	// What a plugin binary says is all there is of it here: a text of ours
	// under the same key is about another method.
	if e.Builtin() {
		if text := longText(e); text != "" {
			fmt.Fprintf(&b, "\n%s\n", text)
		}
	}
	return b.String()
}

// optionsOf is what a method says of its options.
func optionsOf(e registry.Entry) string {
	s, err := optionschema.Parse(e.Schema)
	if err != nil || s == nil {
		return ""
	}
	lines := s.Describe()
	if len(lines) == 0 {
		return fmt.Sprintf("%-13snone\n", "options")
	}
	var b strings.Builder
	b.WriteString("options\n")
	for _, l := range lines {
		fmt.Fprintf(&b, "  %s\n", oneLine(l))
	}
	return b.String()
}

// claimsOf is what a method says that its children can have, and what it leaves out. Of
// a blocked method there are none, and of a binary that was not asked it is not known.
func claimsOf(e registry.Entry) string {
	if e.Status == registry.Blocked || e.Status == "" && !e.Builtin() {
		return ""
	}
	claims := backendtest.ClaimsOf(e)
	if claims == nil {
		claims = backendtest.Abilities()
	}
	var b strings.Builder
	var without []string
	b.WriteString("a child can have, as hatchery backend test tries it\n")
	for _, a := range backendtest.Abilities() {
		if slices.Contains(claims, a) {
			fmt.Fprintf(&b, "  %-14s%s\n", a, a.About())
		} else {
			without = append(without, string(a))
		}
	}
	switch {
	case len(claims) == 0:
		return fmt.Sprintf("%-13snothing of: %s\n", "claims", strings.Join(without, ", "))
	case len(without) > 0:
		fmt.Fprintf(&b, "  and not:      %s\n", strings.Join(without, ", "))
	}
	return b.String()
}

// longText returns the text about a method, if there is one.
func longText(e registry.Entry) string {
	if e.Status == registry.Blocked {
		return analysis(string(e.Key))
	}
	return textIn(methodTexts, "methods/"+string(e.Key)+".txt")
}

// analysis returns the page of that name, or nothing.
func analysis(name string) string { return textIn(docs.Analyses, "analysis/"+name+".md") }

// analyses returns the names of all pages.
func analyses() []string {
	var names []string
	files, _ := fs.Glob(docs.Analyses, "analysis/*.md")
	for _, f := range files {
		names = append(names, strings.TrimSuffix(path.Base(f), ".md"))
	}
	return names
}

func textIn(files embed.FS, name string) string {
	text, err := fs.ReadFile(files, name)
	if err != nil {
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
