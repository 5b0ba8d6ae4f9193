package main

import (
	"slices"
	"strings"

	"github.com/hatchery-spawn/hatchery/cmd/hatchery/bench"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/spf13/cobra"
)

func (a *app) completionCommand() *cobra.Command {
	shells := []string{"bash", "zsh", "fish"}
	return &cobra.Command{
		Use:   "completion bash|zsh|fish",
		Short: "print a completion script for a shell",
		Long:  "Print a script that makes a shell complete commands, flags and the keys of methods.",
		Example: `
  source <(hatchery completion bash)
  hatchery completion zsh > "${fpath[1]}/_hatchery"
  hatchery completion fish > ~/.config/fish/completions/hatchery.fish`,
		ValidArgs:             shells,
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			shell := ""
			if len(args) == 1 {
				shell = args[0]
			}
			switch shell {
			case "bash":
				return cmd.Root().GenBashCompletionV2(a.stdout, true)
			case "zsh":
				return cmd.Root().GenZshCompletion(a.stdout)
			case "fish":
				return cmd.Root().GenFishCompletion(a.stdout, true)
			}
			return usage(cmd, "want the name of a shell: %s", join(shells, "or"))
		},
	}
}

// completeRequest sets what the flags of run and plan are completed with. The
// program and its arguments are completed as files.
func (a *app) completeRequest(cmd *cobra.Command, r *request) {
	cmd.RegisterFlagCompletionFunc(registry.FlagName, func(_ *cobra.Command, _ []string, prefix string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return keys(r.backendDirs, prefix), cobra.ShellCompDirectiveNoFileComp
	})
	cmd.RegisterFlagCompletionFunc("log", cobra.FixedCompletions(logLevels(), cobra.ShellCompDirectiveNoFileComp))
	cmd.MarkFlagDirname("dir")
	cmd.MarkFlagDirname(backendDirFlag)
}

// completeBench sets what the flags of bench are completed with.
func completeBench(cmd *cobra.Command, r *benchRequest) {
	cmd.RegisterFlagCompletionFunc(registry.FlagName, func(_ *cobra.Command, _ []string, prefix string) ([]cobra.Completion, cobra.ShellCompDirective) {
		before, last := "", prefix
		if i := strings.LastIndexByte(prefix, ','); i >= 0 {
			before, last = prefix[:i+1], prefix[i+1:]
		}
		all := keys(r.backendDirs, last)
		for i := range all {
			all[i] = before + all[i]
		}
		return all, cobra.ShellCompDirectiveNoFileComp
	})
	cmd.RegisterFlagCompletionFunc("program", func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return []cobra.Completion{bench.Tiny, bench.Go}, cobra.ShellCompDirectiveDefault
	})
	cmd.MarkFlagDirname(backendDirFlag)
}

// completeKey completes a single argument that is the key of a method.
func completeKey(dirs *[]string) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, prefix string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return keys(*dirs, prefix), cobra.ShellCompDirectiveNoFileComp
	}
}

// completeTopic completes what can be explained.
func completeTopic(dirs *[]string) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, prefix string) ([]cobra.Completion, cobra.ShellCompDirective) {
		all, how := completeKey(dirs)(cmd, args, prefix)
		for _, name := range analyses() {
			known := slices.ContainsFunc(all, func(c cobra.Completion) bool { return c == name || strings.HasPrefix(c, name+"\t") })
			if len(args) == 0 && !known && strings.HasPrefix(name, prefix) {
				all = append(all, name)
			}
		}
		return all, how
	}
}

// keys returns the completions of a key. What is wrong with a folder is said
// when the command is run.
func keys(dirs []string, prefix string) []string {
	m, err := findMethods(dirs)
	if err != nil {
		return nil
	}
	return registry.NewFlag(m.registry).Complete(prefix)
}
