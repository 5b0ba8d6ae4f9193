package main

import "github.com/spf13/cobra"

func (a *app) backendCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "backend COMMAND",
		Short: "begin and test a backend, and look after folders of them",
		Long: `
Commands for who writes or keeps plugin binaries:

  new         write the beginning of a backend, which works already
  test        hold a method to what its users rely on
  lock        pin what a backend folder holds by checksums

See hatchery backend COMMAND --help. To see which methods there are, use
hatchery backends.`,
		Example: `
  hatchery backend new --key careful ./careful
  hatchery backend test ./spawn-backend-careful
  hatchery backend lock`,
		Args: unknownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return usage(cmd, "no command given: want %s", commandNames(cmd))
		},
		SuggestionsMinimumDistance: 2,
	}
	cmd.AddCommand(a.backendNewCommand(), a.backendTestCommand(), a.backendLockCommand())
	return cmd
}
