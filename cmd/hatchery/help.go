package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/spf13/cobra"
)

// help writes the help of a command to standard output.
func (a *app) help(cmd *cobra.Command, _ []string) {
	out := cmd.OutOrStdout()
	if !cmd.HasParent() {
		overview(out, cmd)
		return
	}
	a.listKeys(cmd)
	text := cmd.Long
	if text == "" {
		text = cmd.Short
	}
	fmt.Fprintf(out, "Usage: %s\n\n%s\n", cmd.UseLine(), strings.TrimSpace(text))
	if cmd.Example != "" {
		fmt.Fprintf(out, "\nExamples:\n%s\n", strings.Trim(cmd.Example, "\n"))
	}
	if flags := cmd.Flags().FlagUsagesWrapped(100); flags != "" {
		fmt.Fprintf(out, "\nFlags:\n%s", flags)
	}
}

// helpCommand is help as a command: hatchery help run.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "print help",
		RunE: func(cmd *cobra.Command, args []string) error {
			of, rest, err := cmd.Root().Find(args)
			if err != nil {
				return err
			}
			if of.HasSubCommands() && len(rest) > 0 {
				return unknownCommand(of, rest)
			}
			return of.Help()
		},
	}
}

// overview is the help of hatchery itself: what there is, at a glance.
func overview(out io.Writer, root *cobra.Command) {
	fmt.Fprintf(out, "hatchery: %s.\n\n", root.Short)
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() && c.Name() != "help" {
			fmt.Fprintf(out, "  %-12s%s\n", c.Name(), c.Short)
		}
	}
	fmt.Fprintf(out, "\nTry: hatchery run -- echo hello      More: hatchery COMMAND --help\n")
}

// listKeys puts the keys there are into the help of the flag that takes one.
// That is done only when help is asked for: it looks into the backend folders.
func (a *app) listKeys(cmd *cobra.Command) {
	flag := cmd.Flags().Lookup(registry.FlagName)
	if flag == nil {
		return
	}
	dirs, _ := cmd.Flags().GetStringArray(backendDirFlag)
	if m, err := findMethods(dirs); err == nil {
		all := registry.NewFlag(m.registry).Usage()
		if flag.Value.Type() == "string" {
			flag.Usage = "`KEY` says " + all
			return
		}
		_, list, _ := strings.Cut(all, ": ")
		flag.Usage = "`KEY,...` says which methods are measured (default all): " + strings.ReplaceAll(list, " (default)", "")
	}
}
