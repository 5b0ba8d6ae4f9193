package main

import "github.com/spf13/cobra"

func (a *app) backendCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "backend COMMAND",
		Short: "look after folders of plugin binaries",
		Long: `
Commands for who keeps plugin binaries:

  lock        pin what a backend folder holds by checksums

See hatchery backend COMMAND --help. To see which methods there are, use
hatchery backends.`,
		Example: `
  hatchery backend lock`,
		Args: unknownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return usage(cmd, "no command given: want %s", commandNames(cmd))
		},
		SuggestionsMinimumDistance: 2,
	}
	cmd.AddCommand(a.backendLockCommand())
	return cmd
}
