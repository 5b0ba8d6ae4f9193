package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/hatchery-spawn/hatchery/host/inspect"
	"github.com/spf13/cobra"
)

func (a *app) reapCommand() *cobra.Command {
	var asJSON bool
	var cfg inspect.ReapConfig
	cmd := &cobra.Command{
		Use:   "reap [--dry-run] [--detached REF]... [--json]",
		Short: "end what killed hosts have left behind",
		Long: `
Look at the runtime folders of your hosts: below $XDG_RUNTIME_DIR, the temporary
folder and /tmp. Those of hosts and keepers that are gone are removed, once what
is recorded in them has been ended: SIGTERM, and SIGKILL after a second.

A host that is killed is cleaned up after by its keeper: there is something to
do only when both were killed. Only what is marked beyond doubt is touched: a
process that is recorded with its pid and the time of its start, what is below
it, and what is in its session. A pid that belongs to another process now is
left alone, and so is everything of a host that runs. Control groups that were
made for children are removed.

Detached children (hatchery run --detach) are listed and kept: hatchery adopt is
for them. Only for one that is lost, since its keeper was killed, there is
--detached: what is recorded of it is ended, and its folder removed.

With --dry-run nothing is signalled or removed: what would be is printed.
With --json: {"dry_run", "folders": [{"path", "host", "state", "reason", "left":
[{"pid", "name", "mark", "action", "error"}], "sockets", "made", "removed", "error"}],
"detached": [as hatchery adopt --json]}.

Exit code: 0, or 125 when something could not be ended or removed.`,
		Example: `
  hatchery reap --dry-run
  hatchery reap`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			report, err := inspect.Reap(cmd.Context(), cfg)
			var werr error
			if asJSON {
				werr = a.writeJSON(report)
			} else {
				werr = printReport(a.stdout, report)
			}
			if err == nil {
				err = werr
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&cfg.DryRun, "dry-run", false, "only say what would be done")
	cmd.Flags().StringArrayVar(&cfg.Detached, "detached", nil, "reap the lost detached child `REF` as well; may be repeated")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// printReport prints what was done, a paragraph for each folder. Folders that
// were left alone are one line.
func printReport(out io.Writer, r inspect.ReapReport) error {
	var b strings.Builder
	for _, f := range r.Folders {
		fmt.Fprintf(&b, "%s: %s", plain(f.Path), f.Reason)
		if f.State != inspect.StateGone {
			b.WriteString(": left alone")
		}
		b.WriteByte('\n')
		for _, p := range f.Left {
			fmt.Fprintf(&b, "  %s %d (%s): %s", verb(r.DryRun, p.Action), p.Pid, plain(p.Name), p.Mark)
			if p.Error != "" {
				fmt.Fprintf(&b, ": %s", p.Error)
			}
			b.WriteByte('\n')
		}
		for _, dir := range f.Made {
			fmt.Fprintf(&b, "  %s %s\n", verb(r.DryRun, "removed"), plain(dir))
		}
		if f.Removed {
			for _, s := range f.Sockets {
				fmt.Fprintf(&b, "  %s the socket %s\n", verb(r.DryRun, "removed"), plain(s))
			}
			fmt.Fprintf(&b, "  %s the folder\n", verb(r.DryRun, "removed"))
		}
		if f.Error != "" {
			fmt.Fprintf(&b, "  %s\n", f.Error)
		}
	}
	for _, d := range r.Detached {
		if slices.ContainsFunc(r.Folders, func(f inspect.Folder) bool { return f.Path == d.Folder }) {
			continue // it was asked for
		}
		fmt.Fprintf(&b, "%s: detached child %d (%s), %s: kept\n", plain(d.Folder), d.Pid, plain(d.Name), d.State)
	}
	if len(r.Folders)+len(r.Detached) == 0 {
		b.WriteString("no runtime folders: nothing is left\n")
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// verb says what was done, or would be.
func verb(dry bool, done string) string {
	if !dry {
		return done
	}
	switch done {
	case inspect.ActionTerminated:
		return "would terminate"
	case inspect.ActionSpared:
		return "would spare"
	case "removed":
		return "would remove"
	}
	return done
}
