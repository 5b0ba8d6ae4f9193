package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

func (a *app) backendsCommand() *cobra.Command {
	var all, asJSON bool
	var dirs []string
	cmd := &cobra.Command{
		Use:   "backends [--json] [--all]",
		Short: "list the methods there are, and where they come from",
		Long: `
List every method by its key: those that are built in, those that are known not
to work, and the binaries spawn-backend-KEY in the backend folders. These are, in
order of precedence, those of --backend-dir, of $HATCHERY_BACKEND_PATH,
$XDG_DATA_HOME/hatchery/backends and /usr/local/lib/hatchery/backends.

Nothing is executed: what a binary is stands in the lock file of its folder (see
hatchery backend lock), or stays unknown until it is used, probed or explained.
--all adds why a method is blocked, by whom a binary is pinned, and why a file
was skipped.

With --json, which always says all: {"backends": [{"key", "status", "source",
"summary", "default", "pin", "pinned_by", "blocked": {"reason", "alternative",
"analysis", "scenario"}}], "searched": [DIR], "skipped": [{"path", "reason"}]}.`,
		Example: `
  hatchery backends
  hatchery backends --all --backend-dir ./build`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			m, err := lookAround(dirs)
			if err != nil {
				return err
			}
			for _, s := range m.refused(dirs) {
				a.say("warning: %v", refusedFolder(s))
			}
			if asJSON {
				return a.writeJSON(list(m))
			}
			return list(m).print(a.stdout, all)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&all, "all", false, "say why methods are blocked and files were skipped")
	cmd.Flags().StringArrayVar(&dirs, backendDirFlag, nil, "look for plugin binaries in `DIR` first; may be repeated")
	return cmd
}

// print writes the list as a table.
func (l listing) print(out io.Writer, all bool) error {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "KEY\tSTATUS\tSOURCE\tSUMMARY")
	for _, e := range l.Backends {
		status, summary := e.Status, e.Summary
		if e.Default {
			status += ", default"
		}
		if summary == "" {
			summary = "not asked yet: hatchery explain " + e.Key
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", e.Key, status, plain(e.Source), summary)
	}
	w.Flush()
	if all {
		l.printWhy(&b)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func (l listing) printWhy(b *strings.Builder) {
	fmt.Fprintln(b, "\nBlocked:")
	for _, e := range l.Backends {
		if e.Blocked != nil {
			fmt.Fprintf(b, "  %s: %s; use %s instead\n", e.Key, e.Blocked.Reason, e.Blocked.Alternative)
		}
	}
	if slices.ContainsFunc(l.Backends, func(e listed) bool { return e.Pin != "" }) {
		fmt.Fprintln(b, "\nPinned:")
	}
	for _, e := range l.Backends {
		if e.Pin != "" {
			fmt.Fprintf(b, "  %s: %s by %s\n", e.Key, e.Pin, plain(e.PinnedBy))
		}
	}
	fmt.Fprintln(b, "\nSearched:")
	for _, dir := range l.Searched {
		note := ""
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			note = " (not there)"
		}
		fmt.Fprintf(b, "  %s%s\n", plain(dir), note)
	}
	fmt.Fprintln(b, "\nSkipped:")
	for _, s := range l.Skipped {
		fmt.Fprintf(b, "  %s: %s\n", plain(s.Path), plain(s.Reason))
	}
	if len(l.Skipped) == 0 {
		fmt.Fprintln(b, "  nothing")
	}
}
