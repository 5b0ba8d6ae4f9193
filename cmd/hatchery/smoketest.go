package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"strings"

	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/internal/smoketest"
	"github.com/spf13/cobra"
)

// A smokeRequest is what is asked of smoketest.
type smokeRequest struct {
	names    []string
	list     bool
	asJSON   bool
	sabotage bool
}

func (a *app) smoketestCommand() *cobra.Command {
	var r smokeRequest
	cmd := &cobra.Command{
		Use:   "smoketest [--list] [--scenario NAME]... [--json]",
		Short: "show that what cannot work does not, and what is done instead",
		Long: `
Show on this machine what the analyses (hatchery explain) say. A control passes
when the broken thing is seen to break, in a process made for it; a baseline and
a replacement pass when they work. They depend on the Go runtime and the kernel,
need no privileges, take at most 10 seconds each, and leave nothing behind.

A control that fails has found a dead end that has come alive: the analysis says
what to look at on that day.

Exit code: 0 when everything expected was seen; 1 when something was not; 2 when
this machine cannot run a scenario, or there is none of that name.

With --json: {"go", "kernel", "scenarios": [{"name", "kind", "analysis", "outcome",
"expected", "observed", "took_ms", "sabotage"}]}; with --list the first three and
"expected" alone.`,
		Example: `
  hatchery smoketest
  hatchery smoketest --list
  hatchery smoketest --scenario control_go_fork_gc`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.smoketest(cmd, r) },
	}
	cmd.Flags().BoolVar(&r.list, "list", false, "list the scenarios, and run none")
	cmd.Flags().StringArrayVar(&r.names, "scenario", nil, "run the scenario `NAME`; may be repeated (default all)")
	cmd.Flags().BoolVar(&r.asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&r.sabotage, "sabotage", false, "take away what a scenario is about, in each way there is: it has to fail")
	cmd.RegisterFlagCompletionFunc("scenario", func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		var names []cobra.Completion
		for _, s := range smoketest.All() {
			names = append(names, cobra.CompletionWithDesc(s.Name, s.Expected))
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	})
	return cmd
}

func (a *app) smoketest(cmd *cobra.Command, r smokeRequest) error {
	chosen := smoketest.All()
	if len(r.names) > 0 {
		chosen = nil
	}
	for _, name := range r.names {
		s, ok := smoketest.Find(name)
		if !ok {
			return usage(cmd, "there is no scenario %s: want %s", plain(name), join(scenarioNames(), "or"))
		}
		chosen = append(chosen, s)
	}
	if len(chosen) == 0 {
		return &failure{codeUsage, fmt.Errorf("there are no scenarios for %s", runtime.GOOS), ""}
	}
	out := smoked{Go: runtime.Version(), Kernel: linux.Kernel()}
	if r.list {
		for _, s := range chosen {
			out.Scenarios = append(out.Scenarios, listScenario(s))
		}
		if r.asJSON {
			return a.writeJSON(out)
		}
		return printScenarios(a.stdout, out.Scenarios)
	}
	code := 0
	for _, s := range chosen {
		for _, how := range ways(s, r.sabotage) {
			result, err := a.runScenario(cmd.Context(), s, how, r.asJSON)
			if err != nil {
				return err
			}
			code = worseSmoke(code, result.Outcome)
			out.Scenarios = append(out.Scenarios, result)
		}
	}
	if r.asJSON {
		if err := a.writeJSON(out); err != nil {
			return err
		}
	}
	if code != 0 {
		return &failure{code, nil, ""}
	}
	return nil
}

// ways returns how a scenario is run: as it is, or sabotaged in each way.
func ways(s smoketest.Scenario, sabotage bool) []string {
	if sabotage {
		return s.Sabotage
	}
	return []string{""}
}

func (a *app) runScenario(ctx context.Context, s smoketest.Scenario, how string, quiet bool) (smokedScenario, error) {
	r := s.Run(ctx, smoketest.Options{Sabotage: how})
	out := listScenario(s)
	out.Outcome, out.Observed, out.Sabotage, out.TookMS = string(r.Outcome), r.Observed, how, r.Took.Milliseconds()
	if quiet {
		return out, nil
	}
	_, err := fmt.Fprintln(a.stdout, oneLine(r.Banner()))
	return out, err
}

// codeUnseen is the exit code when something was not seen that was expected.
const codeUnseen = 1

// worseSmoke returns the exit code after another outcome.
func worseSmoke(code int, outcome string) int {
	switch {
	case outcome == string(smoketest.Failed):
		return codeUnseen
	case outcome == string(smoketest.Unable) && code == 0:
		return codeUsage
	}
	return code
}

// A smoked is smoketest --json.
type smoked struct {
	Go        string           `json:"go"`
	Kernel    string           `json:"kernel"`
	Scenarios []smokedScenario `json:"scenarios"`
}

type smokedScenario struct {
	Name     string `json:"name"`
	Kind     string `json:"kind"`     // control, baseline or replacement
	Analysis string `json:"analysis"` // for hatchery explain
	Outcome  string `json:"outcome,omitempty"`
	Expected string `json:"expected"`
	Observed string `json:"observed,omitempty"`
	TookMS   int64  `json:"took_ms,omitempty"`
	Sabotage string `json:"sabotage,omitempty"`
}

func listScenario(s smoketest.Scenario) smokedScenario {
	return smokedScenario{Name: s.Name, Kind: string(s.Kind), Analysis: s.Analysis, Expected: s.Expected}
}

func scenarioNames() []string {
	var names []string
	for _, s := range smoketest.All() {
		names = append(names, s.Name)
	}
	return names
}

// printScenarios prints the list, under the analyses.
func printScenarios(out io.Writer, all []smokedScenario) error {
	var b strings.Builder
	for i, s := range all {
		if i == 0 || s.Analysis != all[i-1].Analysis {
			fmt.Fprintf(&b, "%s:\n", s.Analysis)
		}
		fmt.Fprintf(&b, "  %-30s %-12s %s\n", s.Name, s.Kind, s.Expected)
	}
	_, err := io.WriteString(out, b.String())
	return err
}
